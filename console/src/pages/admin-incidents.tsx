import { useState } from 'react';
import { Button, Checkbox, Form, Input, Modal, Select } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Incident, NewIncident } from '../api/types';
import { Countdown, nextClock, ruleName } from '../components/incident-clock';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useCreate, useFormat } from '../lib/use';

const kinds = ['leak', 'tampering', 'loss', 'flaw'] as const;
const detectors = ['staff', 'monitoring', 'person', 'supplier', 'authority', 'researcher'] as const;
const scopes = ['everyone', 'accounts', 'logins', 'tunnels', 'stores'] as const;
const stores = ['main', 'keys', 'backup', 'logs', 'gateways'] as const;

/** All incidents, with what is owed next. */
export function AdminIncidents() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  return (
    <Page
      title={t('nav.admin_incidents')}
      lead={t('incident.lead')}
      action={can(me, 'incident.handle') ? <OpenIncident /> : null}
    >
      <ResourceTable<Incident>
        label={t('nav.admin_incidents')}
        queryKey={['admin', 'incidents']}
        load={api.incident.all}
        refresh={(rows) => (rows.some((r) => !r.closed_at) ? 15_000 : false)}
        rowKey={(i) => i.id}
        nameTitle={t('incident.incident')}
        nameText={(i) => i.id}
        name={(i) => (
          <div>
            <Link to={`/admin/incidents/${i.id}`} style={{ fontWeight: 500 }}>
              {t(`incident.kind_${i.kind}`)}
            </Link>
            <div className="small quiet mono">{short(i.id)}</div>
          </div>
        )}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (i) => <StateDot kind="incident" state={i.state} />,
            text: (i) => t(`state.incident.${i.state}`),
          },
          {
            key: 'grade',
            title: t('incident.grade'),
            cell: (i) => t(`incident.grade_${i.grade}`),
            text: (i) => t(`incident.grade_${i.grade}`),
          },
          {
            key: 'people',
            title: t('incident.people'),
            cell: (i) => (
              <span className="num">{i.counted_at ? format.number(i.people) : t('incident.counting')}</span>
            ),
            text: (i) => i.people,
          },
          { key: 'next', title: t('incident.next'), cell: (i) => <Next incident={i} /> },
          {
            key: 't0',
            title: t('incident.discovered_at'),
            cell: (i) => <span className="num">{format.time(i.t0)}</span>,
            text: (i) => i.t0,
          },
        ]}
        csv="incidents"
        empty={{ title: t('incident.none'), text: t('incident.none_text') }}
      />
    </Page>
  );
}

function Next({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const clock = nextClock(incident.clocks);
  if (!clock) return <span className="quiet">{t('incident.no_next')}</span>;
  return (
    <div>
      <div>{t(ruleName(clock))}</div>
      <Countdown clock={clock} />
    </div>
  );
}

interface Values {
  kind: NewIncident['kind'];
  detected_by: NewIncident['detected_by'];
  discovered_at?: string;
  told_at?: string;
  sensitive?: boolean;
  critical?: boolean;
  scope: (typeof scopes)[number];
  accounts?: string;
  from?: string;
  to?: string;
  stores?: (typeof stores)[number][];
}

const instant = (local?: string) => (local ? new Date(local).toISOString() : undefined);

function toIncident(v: Values): NewIncident {
  const accounts = v.accounts?.split(/\s+/).filter(Boolean);
  return {
    kind: v.kind,
    detected_by: v.detected_by,
    discovered_at: instant(v.discovered_at),
    told_at: instant(v.told_at),
    sensitive: v.sensitive ?? false,
    critical: v.critical ?? false,
    scope: [{ kind: v.scope, accounts, from: instant(v.from), to: instant(v.to), stores: v.stores }],
  };
}

function OpenIncident() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Values>();
  const scope = Form.useWatch('scope', form);
  const create = useCreate((n: NewIncident, key) => api.incident.open(n, key), [['admin', 'incidents']]);
  const send = (v: Values) =>
    create.mutate(toIncident(v), { onSuccess: (i) => void navigate(`/admin/incidents/${i.id}`) });
  const needed = [{ required: true }];
  const options = <T extends string>(all: readonly T[], prefix: string) =>
    all.map((value) => ({ value, label: t(`incident.${prefix}_${value}`) }));
  return (
    <>
      <Button type="primary" danger onClick={() => setOpen(true)}>
        {t('incident.open')}
      </Button>
      <Modal
        open={open}
        title={t('incident.open')}
        okText={t('incident.open')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: create.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <p>{t('incident.open_text')}</p>
        <Form form={form} layout="vertical" onFinish={send} initialValues={{ scope: 'everyone' }}>
          <Form.Item name="kind" label={t('incident.kind')} rules={needed}>
            <Select options={options(kinds, 'kind')} />
          </Form.Item>
          <Form.Item name="detected_by" label={t('incident.detected_by')} rules={needed}>
            <Select options={options(detectors, 'by')} />
          </Form.Item>
          <Form.Item name="discovered_at" label={t('incident.discovered_at')}>
            <Input type="datetime-local" />
          </Form.Item>
          <Form.Item name="told_at" label={t('incident.told_at')}>
            <Input type="datetime-local" />
          </Form.Item>
          <Form.Item name="scope" label={t('incident.scope')} rules={needed}>
            <Select options={options(scopes, 'scope')} />
          </Form.Item>
          {scope === 'accounts' ? (
            <Form.Item name="accounts" label={t('incident.accounts')} rules={needed}>
              <Input.TextArea rows={3} />
            </Form.Item>
          ) : null}
          {scope === 'logins' || scope === 'tunnels' ? (
            <>
              <Form.Item name="from" label={t('incident.from')} rules={needed}>
                <Input type="datetime-local" />
              </Form.Item>
              <Form.Item name="to" label={t('incident.to')} rules={needed}>
                <Input type="datetime-local" />
              </Form.Item>
            </>
          ) : null}
          {scope === 'stores' ? (
            <Form.Item name="stores" label={t('incident.stores')}>
              <Select mode="multiple" options={options(stores, 'store')} />
            </Form.Item>
          ) : null}
          <Form.Item name="sensitive" valuePropName="checked">
            <Checkbox>{t('incident.sensitive')}</Checkbox>
          </Form.Item>
          <Form.Item name="critical" valuePropName="checked">
            <Checkbox>{t('incident.critical')}</Checkbox>
          </Form.Item>
        </Form>
        <ProblemAlert error={create.error} />
      </Modal>
    </>
  );
}
