import { useState } from 'react';
import { Alert, Button, Card, Descriptions, Form, Input, Modal, Select, Timeline } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Difference, ProviderBill } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { registeredStates } from '../lib/states';
import { useChange, useFormat } from '../lib/use';
import { Decide, today } from './admin-transfers';

const stale = [['admin', 'reconciliation']];

export const differenceKinds: Difference['kind'][] = [
  'missing_here',
  'foreign',
  'missing_there',
  'amount',
  'state',
  'duplicate',
  'fee',
  'refund_missing_here',
  'refund_missing_there',
];

/** Why a difference may be explained or booked: codes, so that no text about people gets into the books. */
const reasons = [
  'other_system',
  'rounding',
  'provider_mistake',
  'settled_there',
  'provider_is_right',
  'other',
];

/** What the bills of providers say, day by day, and what differs from the books. */
export function AdminReconciliation() {
  const { t } = useTranslation();
  const settles = can(useMe(), 'payment.settle');
  return (
    <Page
      title={t('nav.admin_reconciliation')}
      lead={t('recon.lead')}
      action={settles ? <Statement /> : null}
    >
      <Differences settles={settles} />
      <Bills settles={settles} />
    </Page>
  );
}

function Differences({ settles }: { settles: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [state, setState] = useState<Difference['state']>();
  const [kind, setKind] = useState<Difference['kind']>();
  const [day, setDay] = useState('');
  const kindOf = (d: Difference) => t(`recon.kind_${d.kind}`);
  return (
    <Card title={t('recon.differences')}>
      <ResourceTable<Difference>
        label={t('recon.differences')}
        queryKey={['admin', 'reconciliation', 'differences', state, kind, day]}
        load={(page) => api.admin.differences({ ...page, state, kind, day: day || undefined })}
        refresh={() => 60_000}
        rowKey={(d) => d.id}
        nameTitle={t('recon.kind')}
        nameText={kindOf}
        name={(d) => <Detail difference={d} settles={settles} />}
        filters={
          <>
            <Select
              allowClear
              aria-label={t('common.state')}
              placeholder={t('recon.all_states')}
              style={{ width: 200 }}
              value={state}
              onChange={setState}
              options={Object.keys(registeredStates.difference ?? {}).map((s) => ({
                value: s as Difference['state'],
                label: t(`state.difference.${s}`),
              }))}
            />
            <Select
              allowClear
              aria-label={t('recon.kind')}
              placeholder={t('recon.all_kinds')}
              style={{ width: 240 }}
              value={kind}
              onChange={setKind}
              options={differenceKinds.map((k) => ({ value: k, label: t(`recon.kind_${k}`) }))}
            />
            <Input
              type="date"
              aria-label={t('recon.day')}
              style={{ width: 150 }}
              value={day}
              onChange={(e) => setDay(e.target.value)}
            />
          </>
        }
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (d) => <StateDot kind="difference" state={d.state} />,
            text: (d) => t(`state.difference.${d.state}`),
          },
          {
            key: 'day',
            title: t('recon.day'),
            cell: (d) => <span className="num">{d.day}</span>,
            text: (d) => d.day,
          },
          { key: 'gateway', title: t('pay.method'), cell: (d) => d.gateway, text: (d) => d.gateway },
          {
            key: 'here',
            title: t('recon.here'),
            align: 'right',
            cell: (d) => <span className="num">{format.money(d.here)}</span>,
            text: (d) => d.here.amount,
          },
          {
            key: 'there',
            title: t('recon.there'),
            align: 'right',
            cell: (d) => <span className="num">{format.money(d.there)}</span>,
            text: (d) => d.there.amount,
          },
          {
            key: 'ref',
            title: t('admin.trade_no'),
            cell: (d) => (
              <CopyText
                text={d.refund ?? d.trade_number ?? ''}
                shown={short(d.refund ?? d.trade_number ?? '')}
              />
            ),
            text: (d) => d.refund ?? d.trade_number,
          },
        ]}
        csv="differences"
        empty={{ title: t('recon.none'), text: t('recon.none_text') }}
      />
    </Card>
  );
}

/** A difference with its history, and what this person may do about it. */
function Detail({ difference, settles }: { difference: Difference; settles: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const one = useQuery({
    queryKey: ['admin', 'reconciliation', 'difference', difference.id],
    queryFn: () => api.admin.difference(difference.id),
    enabled: open,
  });
  const d = one.data;
  return (
    <>
      <Button type="link" style={{ padding: 0 }} onClick={() => setOpen(true)}>
        {t(`recon.kind_${difference.kind}`)}
      </Button>
      <Modal
        open={open}
        title={t(`recon.kind_${difference.kind}`)}
        footer={null}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <div className="stack">
          <p style={{ margin: 0 }}>{t(`recon.about_${difference.kind}`)}</p>
          <ProblemAlert error={one.error} />
          {d ? (
            <>
              <Descriptions
                column={1}
                size="small"
                items={[
                  {
                    key: 'state',
                    label: t('common.state'),
                    children: <StateDot kind="difference" state={d.state} />,
                  },
                  { key: 'day', label: t('recon.day'), children: `${d.day} · ${d.gateway}` },
                  { key: 'here', label: t('recon.here'), children: format.money(d.here) },
                  { key: 'there', label: t('recon.there'), children: format.money(d.there) },
                  ...(d.payment
                    ? [
                        {
                          key: 'payment',
                          label: t('admin.payment_no'),
                          children: <CopyText text={d.payment} />,
                        },
                      ]
                    : []),
                  ...(d.trade_number
                    ? [
                        {
                          key: 'trade',
                          label: t('admin.trade_no'),
                          children: <CopyText text={d.trade_number} />,
                        },
                      ]
                    : []),
                  ...(d.refund
                    ? [{ key: 'refund', label: t('refund.number'), children: <CopyText text={d.refund} /> }]
                    : []),
                  ...(d.due ? [{ key: 'due', label: t('recon.due'), children: format.money(d.due) }] : []),
                ]}
              />
              <Timeline
                items={d.steps.map((s, i) => ({
                  key: i,
                  content: (
                    <>
                      {t(`recon.event_${s.event}`)}
                      {s.reason ? ` · ${t(`recon.why_${s.reason}`, { defaultValue: s.reason })}` : ''}
                      <div className="small quiet">
                        {format.time(s.at)} · {s.handle ? short(s.handle) : t('recon.program')}
                      </div>
                    </>
                  ),
                }))}
              />
              {settles ? <Acts difference={d} yours={d.seconded_by_you} /> : null}
            </>
          ) : null}
        </div>
      </Modal>
    </>
  );
}

function Acts({ difference: d, yours }: { difference: Difference; yours: boolean }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState<string>();
  const act = useChange(
    (name: 'explain' | 'propose') => api.admin.differenceAct(d.id, name, reason ?? ''),
    stale,
  );
  if (d.state === 'waiting')
    return yours ? (
      <Alert type="info" showIcon title={t('recon.yours')} />
    ) : (
      <Decide decide={(v) => api.admin.decideDifference(d.id, v)} by="" stale={stale} />
    );
  if (d.state !== 'open') return null;
  return (
    <div className="stack">
      <Select
        aria-label={t('recon.reason')}
        placeholder={t('recon.reason')}
        value={reason}
        onChange={setReason}
        options={reasons.map((r) => ({ value: r, label: t(`recon.why_${r}`) }))}
      />
      <div className="row">
        <Button disabled={!reason} loading={act.isPending} onClick={() => act.mutate('explain')}>
          {t('recon.explain')}
        </Button>
        {d.due ? (
          <Button danger disabled={!reason} loading={act.isPending} onClick={() => act.mutate('propose')}>
            {t('recon.propose')}
          </Button>
        ) : null}
      </div>
      <ProblemAlert error={act.error} />
    </div>
  );
}

function Bills({ settles }: { settles: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('recon.bills')}>
      <ResourceTable<ProviderBill>
        label={t('recon.bills')}
        queryKey={['admin', 'reconciliation', 'bills']}
        load={api.admin.bills}
        refresh={() => 60_000}
        rowKey={(b) => b.id}
        nameTitle={t('recon.day')}
        nameText={(b) => b.day}
        name={(b) => <span className="num">{b.day}</span>}
        columns={[
          { key: 'gateway', title: t('pay.method'), cell: (b) => b.gateway, text: (b) => b.gateway },
          {
            key: 'state',
            title: t('common.state'),
            cell: (b) => (
              <>
                <StateDot kind="bill" state={b.state} />
                {b.problem && b.state === 'waiting' ? (
                  <div className="small quiet">
                    {t(`recon.problem_${b.problem.replaceAll('.', '_')}`, { defaultValue: b.problem })}
                  </div>
                ) : null}
              </>
            ),
            text: (b) => t(`state.bill.${b.state}`),
          },
          {
            key: 'paid',
            title: t('recon.paid'),
            align: 'right',
            cell: (b) => <span className="num">{format.money(b.paid)}</span>,
            text: (b) => b.paid.amount,
          },
          {
            key: 'returned',
            title: t('recon.returned'),
            align: 'right',
            cell: (b) => <span className="num">{format.money(b.returned)}</span>,
            text: (b) => b.returned.amount,
          },
          {
            key: 'fee',
            title: t('recon.fee'),
            align: 'right',
            cell: (b) => <span className="num">{format.money(b.fee)}</span>,
            text: (b) => b.fee.amount,
          },
          {
            key: 'read',
            title: t('recon.read_at'),
            cell: (b) => <span className="num">{b.read_at ? format.time(b.read_at) : '–'}</span>,
            text: (b) => b.read_at,
          },
        ]}
        actions={settles ? (b) => <Again bill={b} /> : undefined}
        csv="provider-bills"
        empty={{ title: t('recon.no_bills') }}
      />
    </Card>
  );
}

function Again({ bill }: { bill: ProviderBill }) {
  const { t } = useTranslation();
  const read = useChange(() => api.admin.readBill(bill.id), stale);
  return (
    <span>
      <Button size="small" type="link" loading={read.isPending} onClick={() => read.mutate(undefined)}>
        {t('recon.read_again')}
      </Button>
      <ProblemAlert error={read.error} />
    </span>
  );
}

interface Brought {
  gateway: string;
  day: string;
  lines: string;
}

/** Lines of a statement: reference and amount, and a fee perhaps, with a comma, tab or space between. */
export function statementLines(text: string) {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [bank_reference = '', amount = '', fee] = line.split(/[\s,;]+/);
      return fee ? { bank_reference, amount, fee } : { bank_reference, amount };
    });
}

function Statement() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Brought>();
  const bring = useChange(
    (b: Brought) =>
      api.admin.bringStatement(b.gateway.trim(), { day: b.day, lines: statementLines(b.lines) }),
    stale,
  );
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('recon.bring')}</Button>
      <Modal
        open={open}
        title={t('recon.bring')}
        okText={t('recon.compare')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: bring.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          form.resetFields();
          bring.reset();
        }}
        destroyOnHidden
      >
        <p>{t('recon.bring_text')}</p>
        <Form<Brought>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ gateway: 'transfer' }}
          onFinish={(b) => bring.mutate(b, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="gateway" label={t('pay.method')} rules={required}>
            <Input className="mono" maxLength={64} autoComplete="off" />
          </Form.Item>
          <Form.Item name="day" label={t('recon.day')} rules={required}>
            <Input type="date" max={today()} />
          </Form.Item>
          <Form.Item name="lines" label={t('recon.lines')} extra={t('recon.lines_text')}>
            <Input.TextArea className="mono" rows={8} maxLength={200_000} />
          </Form.Item>
        </Form>
        <ProblemAlert error={bring.error} />
      </Modal>
    </>
  );
}
