import { useState } from 'react';
import { Alert, Button, Card, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Hold, NewHold, RetentionClass, RetentionRun } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

/** Classes that a hold may name; the words are those of the locale files. */
const classes = [
  'account_core',
  'realname_value',
  'realname_result',
  'netlog',
  'access_log',
  'vpn_session',
  'order',
  'disclosure',
  'consent',
  'case',
];

/** What the nightly runs destroyed, and what a law has us keep beyond its time. */
export function AdminRetention() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const name = (c: string) => (c ? t(`retention.class_${c}`, { defaultValue: c }) : t('retention.any_class'));
  return (
    <Page
      title={t('nav.admin_retention')}
      lead={t('retention.lead')}
      action={can(me, 'retention.hold') ? <PlaceHold /> : null}
    >
      <Card title={t('retention.holds')}>
        <ResourceTable<Hold>
          label={t('retention.holds')}
          queryKey={['admin', 'holds']}
          load={api.admin.holds}
          rowKey={(h) => h.id}
          nameTitle={t('retention.class')}
          nameText={(h) => name(h.class)}
          name={(h) => <span style={{ fontWeight: 500 }}>{name(h.class)}</span>}
          columns={[
            {
              key: 'subject',
              title: t('retention.subject'),
              cell: (h) =>
                h.subject ? <CopyText text={h.subject} shown={short(h.subject)} /> : t('retention.everybody'),
              text: (h) => h.subject,
            },
            { key: 'law', title: t('retention.law'), cell: (h) => h.law, text: (h) => h.law },
            {
              key: 'authority',
              title: t('retention.authority'),
              cell: (h) => h.authority,
              text: (h) => h.authority,
            },
            {
              key: 'until',
              title: t('retention.until'),
              cell: (h) => (
                <span className="num">
                  {h.ended_at
                    ? t('retention.ended', { at: format.time(h.ended_at) })
                    : format.time(h.until, true)}
                </span>
              ),
              text: (h) => h.ended_at ?? h.until,
            },
          ]}
          actions={(h) =>
            can(me, 'retention.hold') && !h.ended_at ? (
              <ConfirmDelete
                small
                name={name(h.class)}
                label={t('retention.end')}
                loss={<p>{t('retention.end_text')}</p>}
                remove={() => api.admin.endHold(h.id)}
                stale={[['admin', 'holds']]}
              />
            ) : null
          }
          csv="holds"
          empty={{ title: t('retention.no_holds'), text: t('retention.no_holds_text') }}
        />
      </Card>
      <Card title={t('retention.runs')}>
        <Runs name={name} />
      </Card>
      <Card title={t('retention.classes')}>
        <Classes name={name} />
      </Card>
    </Page>
  );
}

function Runs({ name }: { name: (c: string) => string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const count = (key: 'examined' | 'destroyed' | 'held' | 'overdue') => ({
    key,
    title: t(`retention.${key}`),
    cell: (r: RetentionRun) => <span className="num">{format.number(r[key])}</span>,
    text: (r: RetentionRun) => String(r[key]),
  });
  return (
    <ResourceTable<RetentionRun>
      label={t('retention.runs')}
      queryKey={['admin', 'retention-runs']}
      load={api.admin.retentionRuns}
      rowKey={(r) => `${r.run}.${r.class}`}
      nameTitle={t('retention.class')}
      nameText={(r) => name(r.class)}
      name={(r) => (
        <div>
          <div style={{ fontWeight: 500 }}>{r.class ? name(r.class) : t('retention.nothing')}</div>
          {r.problem ? (
            <Alert
              type="warning"
              showIcon
              title={t(`retention.problem_${r.problem}`)}
              style={{ marginTop: 4 }}
            />
          ) : null}
        </div>
      )}
      columns={[
        {
          key: 'at',
          title: t('mydata.time'),
          cell: (r) => <span className="num">{format.time(r.at, true)}</span>,
          text: (r) => r.at,
        },
        count('examined'),
        count('destroyed'),
        count('held'),
        count('overdue'),
      ]}
      csv="retention-runs"
      empty={{ title: t('retention.no_runs'), text: t('retention.no_runs_text') }}
    />
  );
}

/** What a span says, in words; undefined for none. */
function useSpan() {
  const { t } = useTranslation();
  return (s: RetentionClass['floor']) =>
    (['months', 'days', 'working_days', 'hours'] as const)
      .filter((unit) => s[unit] > 0)
      .map((unit) => t(`retention.${unit}`, { count: s[unit] }))
      .join(' + ') || undefined;
}

/** Floor and ceiling of each class: the law and the promise. */
function Classes({ name }: { name: (c: string) => string }) {
  const { t } = useTranslation();
  const span = useSpan();
  const floor = (c: RetentionClass) => span(c.floor) ?? t('retention.no_floor');
  const ceiling = (c: RetentionClass) =>
    c.lasting ? t('retention.lasting') : (span(c.ceiling) ?? t('retention.no_floor'));
  return (
    <ResourceTable<RetentionClass>
      label={t('retention.classes')}
      queryKey={['admin', 'retention-classes']}
      load={api.admin.retentionClasses}
      rowKey={(c) => c.id}
      nameTitle={t('retention.class')}
      nameText={(c) => name(c.id)}
      name={(c) => (
        <div>
          <div style={{ fontWeight: 500 }}>{name(c.id)}</div>
          <code className="mono small quiet">{c.id}</code>
        </div>
      )}
      columns={[
        { key: 'floor', title: t('retention.floor'), cell: floor, text: floor },
        { key: 'ceiling', title: t('retention.ceiling'), cell: ceiling, text: ceiling },
        {
          key: 'law',
          title: t('retention.law'),
          cell: (c) => c.law.join(t('common.list_comma')) || '–',
          text: (c) => c.law.join(' '),
        },
        { key: 'from', title: t('retention.from'), cell: (c) => c.from, text: (c) => c.from, optional: true },
      ]}
      csv="retention-classes"
      empty={{ title: t('retention.no_runs') }}
    />
  );
}

/** A hold has a reason and an end; the person sees both. */
function PlaceHold() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<NewHold & { day: string }>();
  const place = useChange((h: NewHold) => api.admin.placeHold(h), [['admin', 'holds']]);
  const close = () => setOpen(false);
  const send = ({ day, ...h }: NewHold & { day: string }) =>
    place.mutate({ ...h, until: `${day}T16:00:00Z` }, { onSuccess: close });
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('retention.place')}
      </Button>
      <Modal
        open={open}
        title={t('retention.place')}
        okText={t('retention.place')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: place.isPending }}
        onOk={() => form.submit()}
        onCancel={close}
        afterClose={() => {
          form.resetFields();
          place.reset();
        }}
        destroyOnHidden
      >
        <p>{t('retention.place_text')}</p>
        <Form form={form} layout="vertical" onFinish={send}>
          <Form.Item name="class" label={t('retention.class')}>
            <Select
              allowClear
              placeholder={t('retention.any_class')}
              options={classes.map((c) => ({ value: c, label: t(`retention.class_${c}`) }))}
            />
          </Form.Item>
          <Form.Item name="subject" label={t('retention.subject')} extra={t('retention.subject_text')}>
            <Input maxLength={40} />
          </Form.Item>
          <Form.Item name="law" label={t('retention.law')} rules={[{ required: true }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="authority" label={t('retention.authority')} rules={[{ required: true }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="day" label={t('retention.until_day')} rules={[{ required: true }]}>
            <Input type="date" />
          </Form.Item>
        </Form>
        <ProblemAlert error={place.error} />
      </Modal>
    </>
  );
}
