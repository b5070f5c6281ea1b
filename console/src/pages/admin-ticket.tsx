import { useState } from 'react';
import { Alert, App, Button, Card, Form, Input, Modal, Popconfirm, Select, Skeleton, Tabs } from 'antd';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { RightsKind, StaffTicket, TicketFile, TicketSorting } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { kinds } from '../components/request-fields';
import { StateDot } from '../components/state-dot';
import { AttachFile, Thread } from '../components/ticket-thread';
import { departments, priorities } from '../components/ticket-words';
import { useSettings } from '../lib/settings';
import { useChange, useCreate, useFormat } from '../lib/use';

const stale = [['admin', 'tickets']];

/** One ticket as staff deal with it. Opening it is a reading that its person sees. */
export function AdminTicket() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const ticket = useQuery({
    queryKey: ['admin', 'tickets', 'one', id],
    queryFn: () => api.ticketDesk.one(id),
    // Each look is in the person's log: it is read again after an act, not by the clock.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  if (ticket.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (ticket.isError) return <ErrorState error={ticket.error} retry={() => void ticket.refetch()} />;
  const k = ticket.data;
  return (
    <Page
      title={k.ticket_title}
      trail={[{ title: t('nav.admin_tickets'), to: '/admin/tickets' }]}
      action={<Acts ticket={k} />}
    >
      {k.request ? (
        <Alert
          type="info"
          showIcon
          title={
            <>
              {t('ticket.handed_over')} <Link to="/admin/rights">{k.request}</Link>
            </>
          }
        />
      ) : null}
      <div className="withside">
        <div className="stack">
          <Card>
            <Said ticket={k} />
          </Card>
          {k.state === 'closed' || k.state === 'resolved' ? null : <Say ticket={k} />}
        </div>
        <aside className="side stack">
          <About ticket={k} />
          <Notes ticket={k} />
        </aside>
      </div>
    </Page>
  );
}

function Said({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const release = useChange((f: TicketFile) => api.ticketDesk.release(k.id, f.id), stale);
  const asked = (f: TicketFile) =>
    void modal.confirm({
      title: t('ticket.release_title', { name: f.file_name }),
      content: t('ticket.release_text'),
      okText: t('ticket.release'),
      cancelText: t('common.cancel'),
      onOk: () => release.mutateAsync(f).catch(() => undefined), // shown below
    });
  return (
    <>
      <Thread thread={k} staff fetch={(f) => api.ticketDesk.file(k.id, f)} release={asked} />
      <ProblemAlert error={release.error} />
    </>
  );
}

function Acts({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const act = useChange((verb: 'claim' | 'hold' | 'resume' | 'resolve') => api.ticketDesk[verb](k.id), stale);
  const over = k.state === 'closed' || k.state === 'resolved';
  const may = {
    claim: !k.claimed_by_you && ['open', 'in_progress', 'customer_replied'].includes(k.state),
    hold: ['in_progress', 'customer_replied'].includes(k.state),
    resume: k.state === 'on_hold',
  };
  return (
    <>
      {(['claim', 'hold', 'resume'] as const)
        .filter((verb) => may[verb])
        .map((verb) => (
          <Button
            key={verb}
            loading={act.isPending && act.variables === verb}
            onClick={() => act.mutate(verb)}
          >
            {t(`ticket.${verb}`)}
          </Button>
        ))}
      {over ? null : (
        <Popconfirm
          title={t('ticket.resolve_text')}
          okText={t('ticket.resolve')}
          cancelText={t('common.cancel')}
          onConfirm={() => act.mutate('resolve')}
        >
          <Button>{t('ticket.resolve')}</Button>
        </Popconfirm>
      )}
      {k.request ? null : <HandOver ticket={k} />}
      <ProblemAlert error={act.error} />
    </>
  );
}

function HandOver({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [kind, setKind] = useState<RightsKind>('question');
  const hand = useChange((as: RightsKind) => api.ticketDesk.handOver(k.id, as), stale);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('ticket.hand_over')}</Button>
      <Modal
        open={open}
        title={t('ticket.hand_over')}
        okText={t('ticket.hand_over')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: hand.isPending }}
        onOk={() => hand.mutate(kind, { onSuccess: () => setOpen(false) })}
        onCancel={() => setOpen(false)}
      >
        <p>{t('ticket.hand_over_text')}</p>
        <Select
          aria-label={t('ticket.what')}
          style={{ width: '100%' }}
          value={kind}
          onChange={setKind}
          options={kinds.map((v) => ({ value: v, label: t(`rights.kind_${v}`) }))}
        />
        <ProblemAlert error={hand.error} />
      </Modal>
    </>
  );
}

/** The answer, or a note: never the one for the other. */
function Say({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  return (
    <Card>
      <Tabs
        items={[
          {
            key: 'answer',
            label: t('ticket.answer'),
            children: <Writer ticket={k} note={false} />,
          },
          {
            key: 'note',
            label: t('ticket.note'),
            children: <Writer ticket={k} note />,
          },
        ]}
      />
    </Card>
  );
}

function Writer({ ticket: k, note }: { ticket: StaffTicket; note: boolean }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ words: string }>();
  const send = useCreate(
    (words: string, key) =>
      note ? api.ticketDesk.note(k.id, words, key) : api.ticketDesk.answer(k.id, words, key),
    stale,
  );
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      onFinish={({ words }: { words: string }) => send.mutate(words, { onSuccess: () => form.resetFields() })}
    >
      <p className="quiet">{t(note ? 'ticket.note_text' : 'ticket.answer_text')}</p>
      {note ? null : <Ready department={k.department} take={(words) => form.setFieldsValue({ words })} />}
      <Form.Item
        name="words"
        label={t('ticket.words')}
        rules={[{ required: true, whitespace: true, message: t('field.required') }]}
      >
        <Input.TextArea rows={6} maxLength={8000} showCount />
      </Form.Item>
      <div className="row">
        <Button type="primary" htmlType="submit" loading={send.isPending}>
          {t(note ? 'ticket.note_send' : 'ticket.send')}
        </Button>
        {note ? null : (
          <AttachFile
            attach={(body) => api.ticketDesk.attach(k.id, body)}
            stale={['admin', 'tickets', 'one', k.id]}
          />
        )}
      </div>
      <ProblemAlert error={send.error} />
    </Form>
  );
}

/** Answers that are kept ready, in the language of whoever works here. */
function Ready({ department, take }: { department: string; take: (words: string) => void }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const all = useQuery({ queryKey: ['admin', 'canned'], queryFn: api.ticketDesk.canned });
  const fitting = (all.data?.items ?? []).filter((c) => !c.department || c.department === department);
  if (fitting.length === 0) return null;
  return (
    <Form.Item label={t('ticket.canned')}>
      <Select
        showSearch
        optionFilterProp="label"
        placeholder={t('ticket.canned_choose')}
        options={fitting.flatMap((c) =>
          (language === 'en' ? ['en', 'zh'] : ['zh', 'en']).map((l) => ({
            value: `${c.id} ${l}`,
            label: `${c.title} · ${t(`ticket.text_${l}`)}`,
          })),
        )}
        onChange={(chosen: string) => {
          const [id, l] = chosen.split(' ');
          const c = fitting.find((x) => x.id === id);
          if (c) take(l === 'en' ? c.text_en : c.text_zh);
        }}
      />
    </Form.Item>
  );
}

function Notes({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('ticket.notes')}>
      {k.staff_notes.length === 0 ? <p className="quiet">{t('ticket.notes_none')}</p> : null}
      <div className="stack">
        {k.staff_notes.map((n) => (
          <div key={n.id}>
            <div className="spread small quiet">
              <span className="mono">{short(n.handle)}</span>
              <span className="num">{format.time(n.at)}</span>
            </div>
            <div style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{n.words}</div>
          </div>
        ))}
      </div>
    </Card>
  );
}

function About({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sort = useChange((s: TicketSorting) => api.ticketDesk.sort(k.id, s), stale);
  return (
    <Card title={t('ticket.about')}>
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="ticket" state={k.state} /> },
          {
            label: t('ticket.department'),
            value: (
              <Select
                aria-label={t('ticket.department')}
                size="small"
                style={{ width: 150 }}
                value={k.department}
                disabled={sort.isPending}
                onChange={(department) => sort.mutate({ department, priority: k.priority })}
                options={departments.map((d) => ({ value: d, label: t(`ticket.department_${d}`) }))}
              />
            ),
          },
          {
            label: t('ticket.priority'),
            value: (
              <Select
                aria-label={t('ticket.priority')}
                size="small"
                style={{ width: 150 }}
                value={k.priority}
                disabled={sort.isPending}
                onChange={(priority) => sort.mutate({ department: k.department, priority })}
                options={priorities.map((p) => ({ value: p, label: t(`ticket.priority_${p}`) }))}
              />
            ),
          },
          ...(k.due_at ? [{ label: t('ticket.due'), value: format.time(k.due_at) }] : []),
          {
            label: t('ticket.assignee'),
            value: k.claimed_by_you ? t('ticket.you') : k.handle ? short(k.handle) : t('ticket.nobody'),
          },
          ...(k.resource
            ? [{ label: t('ticket.resource'), value: <CopyText text={k.resource} wrap /> }]
            : []),
          { label: t('admin.account'), value: <CopyText text={k.account} wrap /> },
          { label: t('ticket.opened'), value: format.time(k.opened_at) },
          { label: t('ticket.number'), value: <CopyText text={k.id} wrap /> },
        ]}
      />
      <ProblemAlert error={sort.error} />
      {k.claimed_by_you && k.state !== 'closed' ? <QQ ticket={k} /> : null}
    </Card>
  );
}

function QQ({ ticket: k }: { ticket: StaffTicket }) {
  const { t } = useTranslation();
  const read = useMutation({ mutationFn: () => api.ticketDesk.qq(k.id) });
  if (read.data) return <CopyText text={read.data.qq} />;
  return (
    <div className="stack" style={{ marginTop: 12 }}>
      <Button size="small" loading={read.isPending} onClick={() => read.mutate()}>
        {t('ticket.read_qq')}
      </Button>
      <span className="small quiet">{t('ticket.read_qq_text')}</span>
      <ProblemAlert error={read.error} />
    </div>
  );
}
