import { Button, Result } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { useChange } from '../lib/use';
import { useLinkToken } from '../lib/token';

/** The link of the message leads here. A click confirms: mail scanners open links too. */
export function VerifyEmail() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const token = useLinkToken();
  const verify = useChange(async () => {
    await api.account.verifyEmail(token);
    await client.resetQueries({ queryKey: ['me'] });
  });
  if (verify.isSuccess) {
    return (
      <GateLayout title={t('verify.done')}>
        <Result
          status="success"
          style={{ padding: 0 }}
          subTitle={t('verify.done_text')}
          extra={
            <Link to="/">
              <Button type="primary" size="large">
                {t('verify.go_on')}
              </Button>
            </Link>
          }
        />
      </GateLayout>
    );
  }
  return (
    <GateLayout title={t('verify.title')} lead={token ? t('verify.lead') : t('verify.no_token')}>
      <div className="stack">
        <ProblemAlert error={verify.error} />
        {token ? (
          <Button
            type="primary"
            size="large"
            block
            loading={verify.isPending}
            onClick={() => verify.mutate(undefined)}
          >
            {t('verify.confirm')}
          </Button>
        ) : null}
        <Link to="/login">{t('reset.back')}</Link>
      </div>
    </GateLayout>
  );
}
