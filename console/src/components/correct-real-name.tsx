import { Alert, Button, Card, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

interface Values {
  name: string;
  number: string;
}

/** What an identity-verification officer does with a case that asks to correct a verified name. */
export function CorrectRealName({ id }: { id: string }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const send = useChange(async (v: Values) => {
    await api.admin.correctRealName({ case: id, ...v });
    form.resetFields();
  });
  const needed = [{ required: true, message: t('field.required') }];
  return (
    <Card size="small" title={t('correction.realname')}>
      <p className="muted" style={{ marginTop: 0 }}>
        {t('correction.realname_text')}
      </p>
      <Form<Values> form={form} layout="vertical" requiredMark={false} onFinish={send.mutate}>
        <Form.Item name="name" label={t('correction.name')} rules={needed}>
          <Input autoComplete="off" maxLength={60} />
        </Form.Item>
        <Form.Item name="number" label={t('correction.number')} rules={needed}>
          <Input autoComplete="off" maxLength={40} />
        </Form.Item>
        <div className="stack">
          <ProblemAlert error={send.error} />
          {send.isSuccess ? <Alert type="success" showIcon title={t('correction.verifying')} /> : null}
          <div>
            <Button htmlType="submit" loading={send.isPending}>
              {t('correction.verify')}
            </Button>
          </div>
        </div>
      </Form>
    </Card>
  );
}
