// A client's profile for skyconnect, as a QR code and a link.

import { Card, QRCode } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { SSLClient } from '../api/types';
import { CopyText } from './copy-text';
import { ProblemAlert } from './problem';

export function ConnectLink({ client: c }: { client: SSLClient }) {
  const { t } = useTranslation();
  const link = useQuery({
    queryKey: ['connect-link', c.id, c.version],
    queryFn: () => api.vpn.connectLink(c.id),
  });
  return (
    <Card size="small" title={t('connect.title')}>
      <div className="stack">
        <span className="quiet">{t('connect.lead')}</span>
        <ProblemAlert error={link.error} />
        {link.data ? (
          <>
            {link.data.fits_qr ? (
              <span className="qr">
                <QRCode
                  value={link.data.import_link}
                  type="svg"
                  size={360}
                  aria-label={t('connect.title')}
                  errorLevel="L"
                  bordered={false}
                  style={{ maxWidth: '100%', height: 'auto' }}
                  color="#000"
                  bgColor="#fff"
                />
              </span>
            ) : (
              <span>{t('connect.too_long')}</span>
            )}
            <CopyText text={link.data.import_link} shown="skyconnect://import#…" />
            <span className="quiet">{t('connect.signer', { key: link.data.signer_key })}</span>
          </>
        ) : null}
      </div>
    </Card>
  );
}
