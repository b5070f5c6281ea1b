// The page of a one-time link that was posted where others read along, such as a QQ group. It knows
// nothing of anybody, and using it up takes a click: what previews links opens them too.

import { Button, Form, Input, Select, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api } from '../api';
import type { LinkedRequest } from '../api/types';
import { CopyText } from '../components/copy-text';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { kinds } from '../components/request-fields';
import { useLinkToken } from '../lib/token';
import { useCreate, useFormat } from '../lib/use';

export function AskByLink() {
  const token = useLinkToken();
  // Another link begins anew.
  return <Asking key={token} token={token} />;
}

function Asking({ token }: { token: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [form] = Form.useForm<Omit<LinkedRequest, 'token'>>();
  const link = useQuery({
    queryKey: ['request-link', token],
    queryFn: () => api.privacy.openLink(token),
    enabled: token !== '',
    retry: false,
    staleTime: Infinity,
  });
  const send = useCreate((r: Omit<LinkedRequest, 'token'>, key: string) =>
    api.privacy.sendByLink({ ...r, token }, key),
  );
  if (send.data)
    return (
      <GateLayout title={t('ask.done')} lead={t('ask.done_text', { date: format.date(send.data.due_at) })}>
        <CopyText text={send.data.request} />
      </GateLayout>
    );
  return (
    <GateLayout title={t('ask.title')} lead={t(token ? 'ask.lead' : 'ask.no_token')}>
      <div className="stack">
        <Link to="/my-data?tab=requests">{t('ask.sign_in')}</Link>
        <ProblemAlert error={link.error} />
        {link.isPending && token ? <Skeleton active /> : null}
        {link.data ? (
          <Form form={form} layout="vertical" onFinish={(r) => send.mutate(r)}>
            <Form.Item
              name="kind"
              label={t('rights.what')}
              rules={[{ required: true, message: t('rights.what_needed') }]}
            >
              <Select
                placeholder={t('rights.choose')}
                options={kinds.map((k) => ({ value: k, label: t(`rights.kind_${k}`) }))}
              />
            </Form.Item>
            <Form.Item
              name="words"
              label={t('rights.words')}
              rules={[{ required: true, message: t('rights.words_needed') }]}
              extra={t('ask.words_text')}
            >
              <Input.TextArea rows={5} maxLength={4000} />
            </Form.Item>
            <Form.Item
              name="answer"
              label={t('ask.answer')}
              rules={[{ required: true, type: 'email', message: t('ask.answer_needed') }]}
              extra={t('ask.answer_text')}
            >
              <Input maxLength={254} autoComplete="email" />
            </Form.Item>
            <ProblemAlert error={send.error} />
            <Button type="primary" size="large" block htmlType="submit" loading={send.isPending}>
              {t('rights.send')}
            </Button>
          </Form>
        ) : null}
      </div>
    </GateLayout>
  );
}
