import { Alert, Button, Card, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

/** A new address: the present one stands until the mail to the new one is answered. */
export function ChangeEmail() {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ email: string }>();
  const change = useChange(async (in_: { email: string }) => {
    await api.account.changeEmail(in_.email);
    form.resetFields();
  });
  return (
    <Card title={t('email.change')}>
      <Form<{ email: string }>
        form={form}
        layout="vertical"
        requiredMark={false}
        style={{ maxWidth: 420 }}
        onFinish={change.mutate}
      >
        <Form.Item
          name="email"
          label={t('email.next')}
          extra={t('email.text')}
          rules={[{ required: true, type: 'email', message: t('field.required') }]}
        >
          <Input type="email" autoComplete="email" maxLength={254} />
        </Form.Item>
        <div className="stack">
          <ProblemAlert error={change.error} />
          {change.isSuccess ? <Alert type="success" showIcon title={t('email.sent')} /> : null}
          <div>
            <Button htmlType="submit" loading={change.isPending}>
              {t('email.send')}
            </Button>
          </div>
        </div>
      </Form>
    </Card>
  );
}
