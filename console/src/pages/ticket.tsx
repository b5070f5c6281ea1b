import { Alert, Button, Card, Form, Input, Popconfirm, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { TicketThread } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { AttachFile, Thread } from '../components/ticket-thread';
import { useChange, useCreate, useFormat } from '../lib/use';

/** One ticket: what was said, and the place to say more. */
export function TicketPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const ticket = useQuery({
    queryKey: ['tickets', id],
    queryFn: () => api.ticket.one(id),
    // Opening the words is a reading that is recorded: a notice says when there is more, no clock asks.
    refetchOnWindowFocus: false,
  });
  if (ticket.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (ticket.isError) return <ErrorState error={ticket.error} retry={() => void ticket.refetch()} />;
  const k = ticket.data;
  return (
    <Page
      title={k.ticket_title}
      trail={[{ title: t('nav.tickets'), to: '/tickets' }]}
      action={k.state === 'closed' ? null : <Close ticket={k} />}
    >
      {k.request ? (
        <Alert
          type="info"
          showIcon
          title={
            <>
              {t('ticket.handed_over')} <Link to="/my-data?tab=requests">{k.request}</Link>
            </>
          }
        />
      ) : null}
      {k.state === 'awaiting_customer' ? (
        <Alert type="warning" showIcon title={t('ticket.your_turn')} />
      ) : null}
      <div className="withside">
        <div className="stack">
          <Card>
            <Thread thread={k} staff={false} fetch={(f) => api.ticket.file(k.id, f)} />
          </Card>
          <Reply ticket={k} />
        </div>
        <aside className="side">
          <About ticket={k} />
        </aside>
      </div>
    </Page>
  );
}

function Close({ ticket: k }: { ticket: TicketThread }) {
  const { t } = useTranslation();
  const close = useChange(() => api.ticket.close(k.id), [['tickets']]);
  return (
    <>
      <Popconfirm
        title={t('ticket.close_text')}
        okText={t('ticket.close')}
        cancelText={t('common.cancel')}
        onConfirm={() => close.mutate(undefined)}
      >
        <Button loading={close.isPending}>{t('ticket.close')}</Button>
      </Popconfirm>
      <ProblemAlert error={close.error} />
    </>
  );
}

function Reply({ ticket: k }: { ticket: TicketThread }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [form] = Form.useForm<{ words: string }>();
  const reply = useCreate((words: string, key) => api.ticket.reply(k.id, words, key), [['tickets']]);
  const send = ({ words }: { words: string }) =>
    reply.mutate(words, {
      onSuccess: (now) => {
        form.resetFields();
        if (now.id !== k.id) void navigate(`/tickets/${now.id}`);
      },
    });
  return (
    <Card title={t('ticket.reply')}>
      {k.state === 'closed' ? <p className="quiet">{t('ticket.closed_text')}</p> : null}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={send}>
        <Form.Item
          name="words"
          label={t('ticket.words')}
          rules={[{ required: true, whitespace: true, message: t('field.required') }]}
        >
          <Input.TextArea rows={5} maxLength={8000} showCount />
        </Form.Item>
        <div className="row">
          <Button type="primary" htmlType="submit" loading={reply.isPending}>
            {t('ticket.send')}
          </Button>
          {k.state === 'closed' ? null : (
            <AttachFile attach={(body) => api.ticket.attach(k.id, body)} stale={['tickets', k.id]} />
          )}
        </div>
      </Form>
      <p className="small quiet">{t('ticket.file_hint')}</p>
      <ProblemAlert error={reply.error} />
    </Card>
  );
}

function About({ ticket: k }: { ticket: TicketThread }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('ticket.about')}>
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="ticket" state={k.state} /> },
          { label: t('ticket.department'), value: t(`ticket.department_${k.department}`) },
          { label: t('ticket.priority'), value: t(`ticket.priority_${k.priority}`) },
          ...(k.due_at ? [{ label: t('ticket.due'), value: format.time(k.due_at) }] : []),
          ...(k.resource
            ? [{ label: t('ticket.resource'), value: <CopyText text={k.resource} wrap /> }]
            : []),
          ...(k.follows
            ? [
                {
                  label: t('ticket.follows'),
                  value: (
                    <Link to={`/tickets/${k.follows}`} className="mono">
                      {k.follows}
                    </Link>
                  ),
                },
              ]
            : []),
          { label: t('ticket.opened'), value: format.time(k.opened_at) },
          { label: t('ticket.number'), value: <CopyText text={k.id} wrap /> },
        ]}
      />
    </Card>
  );
}
