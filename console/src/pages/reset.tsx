import { Button, Form, Input, Result } from 'antd';
import { useMutation } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { useLinkToken } from '../lib/token';

/** Asks for the message. The answer is the same whether the address is known or not. */
export function RequestReset() {
  const { t } = useTranslation();
  const request = useMutation({ mutationFn: api.account.requestReset });
  return (
    <GateLayout title={t('reset.title')} lead={t('reset.lead')}>
      {request.isSuccess ? (
        <Result
          status="info"
          style={{ padding: 0 }}
          subTitle={t('reset.sent')}
          extra={<Link to="/login">{t('reset.back')}</Link>}
        />
      ) : (
        <Form<{ email: string }>
          layout="vertical"
          size="large"
          requiredMark={false}
          onFinish={(v) => request.mutate(v.email)}
        >
          <Form.Item
            name="email"
            label={t('field.email')}
            rules={[
              { required: true, message: t('field.required') },
              { type: 'email', message: t('field.email_rule') },
            ]}
          >
            <Input type="email" autoComplete="email" />
          </Form.Item>
          <div className="stack">
            <ProblemAlert error={request.error} />
            <Button type="primary" htmlType="submit" block loading={request.isPending}>
              {t('reset.send')}
            </Button>
            <Link to="/login">{t('reset.back')}</Link>
          </div>
        </Form>
      )}
    </GateLayout>
  );
}

export function ConfirmReset() {
  const { t } = useTranslation();
  const token = useLinkToken();
  const confirm = useMutation({
    mutationFn: (password: string) => api.account.confirmReset(token, password),
  });
  return (
    <GateLayout title={t('reset.new_title')} lead={t('reset.new_lead')}>
      {confirm.isSuccess ? (
        <Result
          status="success"
          style={{ padding: 0 }}
          subTitle={t('reset.done')}
          extra={<Link to="/login">{t('login.submit')}</Link>}
        />
      ) : (
        <Form<{ password: string }>
          layout="vertical"
          size="large"
          requiredMark={false}
          onFinish={(v) => confirm.mutate(v.password)}
        >
          <Form.Item
            name="password"
            label={t('field.new_password')}
            rules={[{ required: true, min: 10, message: t('field.password_rule') }]}
          >
            <Input.Password autoComplete="new-password" maxLength={256} />
          </Form.Item>
          <div className="stack">
            <ProblemAlert error={confirm.error} />
            <Button type="primary" htmlType="submit" block loading={confirm.isPending} disabled={!token}>
              {t('reset.set')}
            </Button>
          </div>
        </Form>
      )}
    </GateLayout>
  );
}
