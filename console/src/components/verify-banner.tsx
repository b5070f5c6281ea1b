import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { useChange } from '../lib/use';
import { useMe } from '../lib/session';
import { ProblemAlert } from './problem';

/** Until the e-mail address is verified, says so and sends the message again. */
export function VerifyBanner() {
  const { t } = useTranslation();
  const me = useMe();
  const send = useChange(() => api.account.sendVerification());
  if (me.email_verified) return null;
  return (
    <div className="stack" style={{ marginBottom: 16 }}>
      <Alert
        type="warning"
        showIcon
        title={t('verify.banner')}
        action={
          <Button
            size="small"
            loading={send.isPending}
            disabled={send.isSuccess}
            onClick={() => send.mutate(undefined)}
          >
            {send.isSuccess ? t('verify.sent') : t('verify.send')}
          </Button>
        }
      />
      <ProblemAlert error={send.error} />
    </div>
  );
}
