import { useState } from 'react';
import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { IncidentFile, IncidentTask, IncidentTaskResult } from '../api/types';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';
import { CopyText } from './copy-text';
import { short } from './name-cell';
import { ProblemAlert } from './problem';
import { ResourceTable } from './resource-table';

/** Whom to call or to write to, and how it went. */
export function Tasks({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  return (
    <ResourceTable<IncidentTask>
      label={t('incident.tasks')}
      queryKey={['admin', 'incidents', i.id, 'tasks']}
      load={(page) => api.incident.tasks(i.id, page)}
      rowKey={(k) => `${k.subject}.${k.kind}`}
      nameTitle={t('incident.person')}
      nameText={(k) => k.subject}
      name={(k) => <CopyText text={k.subject} shown={short(k.subject)} />}
      columns={[
        {
          key: 'kind',
          title: t('incident.tasks'),
          cell: (k) => t(`incident.task_${k.kind}`),
          text: (k) => t(`incident.task_${k.kind}`),
        },
        {
          key: 'made',
          title: t('incident.made'),
          cell: (k) => <span className="num">{format.time(k.made_at)}</span>,
          text: (k) => k.made_at,
        },
      ]}
      actions={(k) => (can(me, 'incident.handle') ? <Result incident={i.id} task={k} /> : null)}
      csv="incident-tasks"
      empty={{ title: t('incident.no_tasks') }}
    />
  );
}

type Values = Pick<IncidentTaskResult, 'outcome' | 'reference'>;

function Result({ incident, task }: { incident: string; task: IncidentTask }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Values>();
  const outcome = Form.useWatch('outcome', form);
  const close = useChange(
    (v: Values) => api.incident.closeTask(incident, { subject: task.subject, kind: task.kind, ...v }),
    [['admin', 'incidents']],
  );
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {t('incident.close_task')}
      </Button>
      <Modal
        open={open}
        title={t(`incident.task_${task.kind}`)}
        okText={t('incident.close_task')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: close.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <Form
          form={form}
          layout="vertical"
          onFinish={(v) => close.mutate(v, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="outcome" label={t('incident.outcome')} rules={[{ required: true }]}>
            <Select
              options={(['reached', 'not_reached', 'no_contact'] as const).map((value) => ({
                value,
                label: t(`incident.outcome_${value}`),
              }))}
            />
          </Form.Item>
          <Form.Item
            name="reference"
            label={t('incident.receipt')}
            rules={[{ required: task.kind === 'letter' && outcome === 'reached' }]}
          >
            <Input maxLength={40} />
          </Form.Item>
        </Form>
        <ProblemAlert error={close.error} />
      </Modal>
    </>
  );
}
