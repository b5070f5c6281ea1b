import { Alert, Button, Form, Input, Modal, Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Department, NewTicket, RightsKind, Ticket } from '../api/types';
import { NameCell } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { RequestFields } from '../components/request-fields';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { registeredStates } from '../lib/states';
import { useCreate, useFormat } from '../lib/use';
import { departments, priorities } from '../components/ticket-words';

const states = Object.keys(registeredStates.ticket ?? {});

/** A customer's tickets, the newest first. */
export function Tickets() {
  const { t } = useTranslation();
  const format = useFormat();
  const [state, setState] = useState<string>();
  return (
    <Page title={t('nav.tickets')} lead={t('ticket.lead')} action={<Create />}>
      <ResourceTable<Ticket>
        label={t('nav.tickets')}
        queryKey={['tickets']}
        load={api.ticket.mine}
        rowKey={(k) => k.id}
        nameTitle={t('ticket.subject')}
        nameText={(k) => k.ticket_title}
        name={(k) => <NameCell name={k.ticket_title} id={k.id} to={`/tickets/${k.id}`} />}
        filters={
          <Select
            allowClear
            aria-label={t('common.state')}
            placeholder={t('ticket.all_states')}
            style={{ width: 180 }}
            value={state}
            onChange={setState}
            options={states.map((s) => ({ value: s, label: t(`state.ticket.${s}`) }))}
          />
        }
        filter={(k) => !state || k.state === state}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (k) => <StateDot kind="ticket" state={k.state} />,
            text: (k) => t(`state.ticket.${k.state}`),
          },
          {
            key: 'department',
            title: t('ticket.department'),
            cell: (k) => t(`ticket.department_${k.department}`),
            text: (k) => t(`ticket.department_${k.department}`),
          },
          {
            key: 'priority',
            title: t('ticket.priority'),
            cell: (k) => t(`ticket.priority_${k.priority}`),
            text: (k) => t(`ticket.priority_${k.priority}`),
          },
          {
            key: 'due',
            title: t('ticket.due'),
            cell: (k) => <span className="num">{k.due_at ? format.time(k.due_at) : '–'}</span>,
            text: (k) => k.due_at ?? '',
          },
          {
            key: 'changed',
            title: t('ticket.changed'),
            cell: (k) => <span className="num">{format.time(k.changed_at)}</span>,
            text: (k) => k.changed_at,
          },
        ]}
        csv="tickets"
        empty={{ title: t('ticket.none'), text: t('ticket.none_text'), action: <Create /> }}
      />
    </Page>
  );
}

type Asked = Omit<NewTicket, 'department'> & { department: Department | 'personal'; kind?: RightsKind };

/** Opens a ticket. What is about personal data becomes a request, whose clocks are the law's. */
function Create() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [query, setQuery] = useSearchParams();
  const [open, setOpen] = useState(query.get('create') === '1');
  const [form] = Form.useForm<Asked>();
  const personal = Form.useWatch('department', form) === 'personal';
  const create = useCreate((a: NewTicket, key) => api.ticket.create(a, key), [['tickets']]);
  const ask = useCreate(
    (a: { kind: RightsKind; words: string }, key) => api.privacy.ask({ ...a, channel: 'ticket' }, key),
    [['rights']],
  );
  const shut = () => {
    setOpen(false);
    if (query.has('create')) setQuery({}, { replace: true });
  };
  const send = (a: Asked) => {
    if (a.department === 'personal')
      ask.mutate(
        { kind: a.kind ?? 'question', words: a.words ?? '' },
        { onSuccess: () => void navigate('/my-data?tab=requests') },
      );
    else {
      const { department, priority, resource, ticket_title, words } = a;
      create.mutate(
        { department, priority, resource: resource || undefined, ticket_title, words },
        { onSuccess: (k) => void navigate(`/tickets/${k.id}`) },
      );
    }
  };
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('ticket.create')}
      </Button>
      <Modal
        open={open}
        title={t('ticket.create')}
        okText={t('ticket.send')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: create.isPending || ask.isPending }}
        onOk={() => form.submit()}
        onCancel={shut}
        afterClose={() => {
          create.reset();
          ask.reset();
        }}
      >
        <Form<Asked>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ department: 'technical', priority: 'normal' }}
          onFinish={send}
        >
          <Form.Item name="department" label={t('ticket.department')}>
            <Select
              options={[
                ...departments.map((d) => ({ value: d, label: t(`ticket.department_${d}`) })),
                { value: 'personal', label: t('ticket.department_personal') },
              ]}
            />
          </Form.Item>
          {personal ? (
            <>
              <Alert type="info" showIcon title={t('ticket.personal_text')} style={{ marginBottom: 16 }} />
              <RequestFields label={t('ticket.what')} without={['copy', 'port', 'cancel', 'delete']} />
            </>
          ) : (
            <Fields />
          )}
        </Form>
        <ProblemAlert error={create.error ?? ask.error} />
      </Modal>
    </>
  );
}

function Fields() {
  const { t } = useTranslation();
  const gateways = useQuery({ queryKey: ['gateways'], queryFn: () => api.vpn.gateways() });
  const required = [{ required: true, message: t('field.required') }];
  const things = gateways.data?.items ?? [];
  return (
    <>
      <Form.Item name="priority" label={t('ticket.priority')}>
        <Select options={priorities.map((p) => ({ value: p, label: t(`ticket.hurts_${p}`) }))} />
      </Form.Item>
      {things.length > 0 ? (
        <Form.Item name="resource" label={t('ticket.resource')}>
          <Select
            allowClear
            placeholder={t('ticket.no_resource')}
            options={things.map((g) => ({ value: g.id, label: g.name }))}
          />
        </Form.Item>
      ) : null}
      <Form.Item name="ticket_title" label={t('ticket.subject')} rules={required}>
        <Input maxLength={120} autoComplete="off" />
      </Form.Item>
      <Form.Item name="words" label={t('ticket.words')} rules={required} extra={t('ticket.words_hint')}>
        <Input.TextArea rows={7} maxLength={8000} showCount />
      </Form.Item>
    </>
  );
}
