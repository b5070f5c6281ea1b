import { Button, Form, Input, Modal, Popconfirm, Segmented, Select, Tabs, Tag } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { CannedReply, Department, KeptReply, QueuedTicket } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { departments } from '../components/ticket-words';
import { useChange, useCreate, useFormat } from '../lib/use';

/** The ticket desk: the queue without a word of it, and answers that are kept ready. */
export function AdminTickets() {
  const { t } = useTranslation();
  return (
    <Page title={t('nav.admin_tickets')} lead={t('ticket.desk_lead')}>
      <Tabs
        items={[
          { key: 'queue', label: t('ticket.queue'), children: <Queue /> },
          { key: 'canned', label: t('ticket.canned'), children: <Canned /> },
        ]}
      />
    </Page>
  );
}

type View = 'open' | 'mine' | 'closed';

function Queue() {
  const { t } = useTranslation();
  const format = useFormat();
  const [view, setView] = useState<View>('open');
  const [department, setDepartment] = useState<Department>();
  return (
    <ResourceTable<QueuedTicket>
      label={t('ticket.queue')}
      queryKey={['admin', 'tickets', view, department]}
      load={() => api.ticketDesk.queue({ closed: view === 'closed', mine: view === 'mine', department })}
      refresh={() => 15_000}
      rowKey={(k) => k.id}
      nameTitle={t('ticket.number')}
      nameText={(k) => k.id}
      name={(k) => (
        <Link to={`/admin/tickets/${k.id}`} className="mono" aria-label={k.id}>
          {short(k.id)}
        </Link>
      )}
      filters={
        <>
          <Segmented<View>
            aria-label={t('ticket.view')}
            value={view}
            onChange={setView}
            options={(['open', 'mine', 'closed'] as const).map((v) => ({
              value: v,
              label: t(`ticket.view_${v}`),
            }))}
          />
          <Select
            allowClear
            aria-label={t('ticket.department')}
            placeholder={t('ticket.all_departments')}
            style={{ width: 170 }}
            value={department}
            onChange={setDepartment}
            options={departments.map((d) => ({ value: d, label: t(`ticket.department_${d}`) }))}
          />
        </>
      }
      columns={[
        {
          key: 'state',
          title: t('common.state'),
          cell: (k) => <StateDot kind="ticket" state={k.state} />,
          text: (k) => t(`state.ticket.${k.state}`),
        },
        {
          key: 'due',
          title: t('ticket.due'),
          cell: (k) => (
            <span className="row">
              <span className="num">{k.due_at ? format.time(k.due_at) : '–'}</span>
              {k.late ? <Tag color="error">{t('ticket.late')}</Tag> : null}
            </span>
          ),
          text: (k) => k.due_at ?? '',
        },
        {
          key: 'priority',
          title: t('ticket.priority'),
          cell: (k) => t(`ticket.priority_${k.priority}`),
          text: (k) => t(`ticket.priority_${k.priority}`),
        },
        {
          key: 'department',
          title: t('ticket.department'),
          cell: (k) => t(`ticket.department_${k.department}`),
          text: (k) => t(`ticket.department_${k.department}`),
        },
        {
          key: 'assignee',
          title: t('ticket.assignee'),
          cell: (k) => <Assignee ticket={k} />,
          text: (k) => k.handle ?? '',
        },
        {
          key: 'account',
          title: t('admin.account'),
          cell: (k) => <CopyText text={k.account} shown={short(k.account)} />,
          text: (k) => k.account,
          optional: true,
        },
      ]}
      csv="tickets"
      empty={{ title: t('ticket.queue_none'), text: t('ticket.queue_none_text') }}
    />
  );
}

function Assignee({ ticket: k }: { ticket: QueuedTicket }) {
  const { t } = useTranslation();
  if (k.claimed_by_you) return <b>{t('ticket.you')}</b>;
  return k.handle ? <span className="mono">{short(k.handle)}</span> : <>{t('ticket.nobody')}</>;
}

function Canned() {
  const { t } = useTranslation();
  const [edited, edit] = useState<KeptReply | 'new'>();
  const drop = useChange((id: string) => api.ticketDesk.drop(id), [['admin', 'canned']]);
  const add = <Button onClick={() => edit('new')}>{t('ticket.canned_add')}</Button>;
  return (
    <div className="stack">
      <p className="quiet">{t('ticket.canned_text')}</p>
      <div>{add}</div>
      <ProblemAlert error={drop.error} />
      <ResourceTable<KeptReply>
        label={t('ticket.canned')}
        queryKey={['admin', 'canned']}
        load={api.ticketDesk.canned}
        rowKey={(c) => c.id}
        nameTitle={t('ticket.canned_title')}
        nameText={(c) => c.title}
        name={(c) => c.title}
        columns={[
          {
            key: 'department',
            title: t('ticket.department'),
            cell: (c) =>
              c.department ? t(`ticket.department_${c.department}`) : t('ticket.all_departments'),
            text: (c) => c.department ?? '',
          },
          {
            key: 'zh',
            title: t('ticket.text_zh'),
            cell: (c) => <span className="clip">{c.text_zh}</span>,
            text: (c) => c.text_zh,
          },
          {
            key: 'en',
            title: t('ticket.text_en'),
            cell: (c) => <span className="clip">{c.text_en}</span>,
            text: (c) => c.text_en,
          },
        ]}
        actions={(c) => (
          <span className="row">
            <Button size="small" onClick={() => edit(c)}>
              {t('ticket.change')}
            </Button>
            <Popconfirm
              title={t('ticket.drop_text')}
              okText={t('ticket.drop')}
              cancelText={t('common.cancel')}
              onConfirm={() => drop.mutate(c.id)}
            >
              <Button size="small" danger>
                {t('ticket.drop')}
              </Button>
            </Popconfirm>
          </span>
        )}
        empty={{ title: t('ticket.canned_none'), text: t('ticket.canned_none_text') }}
      />
      {edited ? (
        <Editor key={edited === 'new' ? 'new' : edited.id} of={edited} shut={() => edit(undefined)} />
      ) : null}
    </div>
  );
}

function Editor({ of, shut }: { of: KeptReply | 'new'; shut: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<CannedReply>();
  const save = useCreate(
    (c: CannedReply, key) => (of === 'new' ? api.ticketDesk.keep(c, key) : api.ticketDesk.change(of.id, c)),
    [['admin', 'canned']],
  );
  const required = [{ required: true, whitespace: true, message: t('field.required') }];
  return (
    <Modal
      open
      title={t('ticket.canned')}
      okText={t('common.save')}
      cancelText={t('common.cancel')}
      okButtonProps={{ loading: save.isPending }}
      onOk={() => form.submit()}
      onCancel={shut}
    >
      <Form<CannedReply>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={of === 'new' ? { department: '' } : of}
        onFinish={(c) => save.mutate({ ...c, department: c.department ?? '' }, { onSuccess: shut })}
      >
        <Form.Item name="title" label={t('ticket.canned_title')} rules={required}>
          <Input maxLength={120} />
        </Form.Item>
        <Form.Item name="department" label={t('ticket.department')}>
          <Select
            options={[
              { value: '', label: t('ticket.all_departments') },
              ...departments.map((d) => ({ value: d, label: t(`ticket.department_${d}`) })),
            ]}
          />
        </Form.Item>
        <Form.Item name="text_zh" label={t('ticket.text_zh')} rules={required}>
          <Input.TextArea rows={4} maxLength={8000} />
        </Form.Item>
        <Form.Item name="text_en" label={t('ticket.text_en')} rules={required}>
          <Input.TextArea rows={4} maxLength={8000} />
        </Form.Item>
      </Form>
      <ProblemAlert error={save.error} />
    </Modal>
  );
}
