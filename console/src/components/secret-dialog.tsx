// The password and the code seed of an SSL client, shown to be handed on and then gone from the page.

import { Alert, Button, Modal, QRCode } from 'antd';
import { useTranslation } from 'react-i18next';
import type { ClientSecret } from '../api/types';
import { useFormat } from '../lib/use';
import { CopyText } from './copy-text';
import { Facts } from './facts';

interface Props {
  secret: ClientSecret;
  /** The client has a token, which may have been shown before. */
  coded: boolean;
  close: () => void;
}

export function SecretDialog({ secret, coded, close }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const uri = secret.totp_uri ?? secret.token_uri;
  return (
    <Modal
      open
      title={t('secret.title')}
      onCancel={close}
      mask={{ closable: false }}
      footer={
        <Button type="primary" onClick={close}>
          {t('secret.done')}
        </Button>
      }
    >
      <div className="stack">
        <Alert type="warning" showIcon title={t('secret.until', { time: format.time(secret.until) })} />
        <Facts
          facts={[
            { label: t('field.user_name'), value: <CopyText text={secret.user_name} wrap /> },
            {
              label: t('field.password'),
              value: secret.password ? <CopyText text={secret.password} wrap /> : t('secret.no_password'),
            },
            ...(secret.totp_secret
              ? [{ label: t('secret.totp'), value: <CopyText text={secret.totp_secret} wrap /> }]
              : []),
            ...(secret.token_ctf
              ? [{ label: t('secret.ctf'), value: <CopyText text={secret.token_ctf} wrap /> }]
              : []),
          ]}
        />
        {coded && !uri ? <p className="quiet">{t('secret.token_shown')}</p> : null}
        {uri ? <Alert type="warning" showIcon title={t('secret.token_once')} /> : null}
        {uri ? (
          <div style={{ textAlign: 'center' }}>
            <span className="qr">
              <QRCode
                aria-label={t('common.qr')}
                value={uri}
                type="svg"
                size={180}
                bordered={false}
                color="#000"
                bgColor="#fff"
              />
            </span>
            <p className="quiet" style={{ margin: '8px 0 0' }}>
              {t(secret.token_ctf ? 'secret.scan_ctf' : 'secret.scan')}
            </p>
          </div>
        ) : null}
      </div>
    </Modal>
  );
}
