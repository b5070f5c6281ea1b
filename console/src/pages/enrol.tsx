// The page of a link by which the person behind an SSL client sets the token up. It needs no account,
// and nothing is made before a click: what previews links opens them too.

import { useState } from 'react';
import { Button, Form, Input, QRCode } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { TokenEnrolment } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { RecoveryCodes } from '../components/recovery-codes';
import { useNarrow } from '../lib/media';
import { useChange } from '../lib/use';
import { useLinkToken } from '../lib/token';

export function Enrol() {
  const token = useLinkToken();
  // Another link begins anew.
  return <Enrolment key={token} token={token} />;
}

function Enrolment({ token }: { token: string }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<TokenEnrolment>();
  const [codes, setCodes] = useState<string[]>();
  const open = useChange(async () => setShown(await api.vpn.openEnrolment(token)));
  if (codes)
    return (
      <GateLayout title={t('enrol.done')} lead={t('enrol.done_text')}>
        <RecoveryCodes title={t('enrol.recovery')} codes={codes} />
      </GateLayout>
    );
  if (shown)
    return (
      <GateLayout title={t('enrol.title')} lead={t('enrol.scan')}>
        <Bind token={token} shown={shown} done={setCodes} />
      </GateLayout>
    );
  return (
    <GateLayout title={t('enrol.title')} lead={token ? t('enrol.lead') : t('enrol.no_token')}>
      <div className="stack">
        <ProblemAlert error={open.error} />
        {token ? (
          <Button
            type="primary"
            size="large"
            block
            loading={open.isPending}
            onClick={() => open.mutate(undefined)}
          >
            {t('enrol.start')}
          </Button>
        ) : null}
      </div>
    </GateLayout>
  );
}

interface BindProps {
  token: string;
  shown: TokenEnrolment;
  done: (codes: string[]) => void;
}

function Bind({ token, shown, done }: BindProps) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const confirm = useChange(async (code: string) =>
    done((await api.vpn.confirmEnrolment(token, code.replaceAll(' ', ''))).recovery_codes),
  );
  return (
    <div className="stack">
      <div style={{ textAlign: 'center' }}>
        <span className="qr">
          <QRCode value={shown.totp_uri} type="svg" size={200} bordered={false} color="#000" bgColor="#fff" />
        </span>
        {narrow ? (
          <Button type="link" block href={shown.totp_uri}>
            {t('enrol.open_app')}
          </Button>
        ) : null}
      </div>
      <Facts
        facts={[
          { label: t('client.server'), value: shown.server },
          { label: t('field.user_name'), value: shown.user_name },
          { label: t('secret.totp'), value: <CopyText text={shown.totp_secret} wrap /> },
        ]}
      />
      <Form<{ code: string }> layout="vertical" requiredMark={false} onFinish={(v) => confirm.mutate(v.code)}>
        <Form.Item
          name="code"
          label={t('totp.code')}
          rules={[{ required: true, pattern: /^[\d ]{6,7}$/, message: t('totp.code_rule') }]}
        >
          <Input className="mono" inputMode="numeric" autoComplete="one-time-code" maxLength={7} />
        </Form.Item>
        <div className="stack">
          <span className="quiet">{t('enrol.ends_session')}</span>
          <ProblemAlert error={confirm.error} />
          <Button type="primary" size="large" block htmlType="submit" loading={confirm.isPending}>
            {t('enrol.confirm')}
          </Button>
        </div>
      </Form>
    </div>
  );
}
