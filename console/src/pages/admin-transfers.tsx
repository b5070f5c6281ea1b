import { useState } from 'react';
import { Button, Card, Form, Input, InputNumber, Modal, Popconfirm, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AwaitedTransfer, BankTransfer, Grant, Verdict } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable, type Column } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useCreate, useFormat } from '../lib/use';

/** What staff book by hand: money seen at the bank, gifts and goodwill. */
export function AdminTransfers() {
  const { t } = useTranslation();
  const books = can(useMe(), 'payment.book');
  return (
    <Page title={t('nav.admin_transfers')} lead={t('transfers.lead')} action={books ? <Give /> : null}>
      <Awaited books={books} />
      <Entered books={books} />
      <Grants books={books} />
    </Page>
  );
}

interface Booked {
  amount: { amount: string; currency: string };
  state: string;
  reason: string;
  entered_by: string;
  entered_at: string;
  confirmed_by?: string;
}

/** The columns that transfers, grants and decisions about suspense share. */
export function useBookedColumns<T extends Booked>(why: (r: T) => string = (r) => r.reason): Column<T>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    {
      key: 'state',
      title: t('common.state'),
      cell: (r) => <StateDot kind="booking" state={r.state} />,
      text: (r) => t(`state.booking.${r.state}`),
    },
    {
      key: 'amount',
      title: t('order.amount'),
      align: 'right',
      cell: (r) => <span className="num">{format.money(r.amount)}</span>,
      text: (r) => r.amount.amount,
    },
    { key: 'reason', title: t('desk.reason'), cell: why, text: why },
    {
      key: 'by',
      title: t('desk.by'),
      cell: (r) => (
        <>
          <CopyText text={r.entered_by} shown={short(r.entered_by)} />
          {r.confirmed_by && r.confirmed_by !== r.entered_by ? (
            <CopyText text={r.confirmed_by} shown={short(r.confirmed_by)} />
          ) : null}
        </>
      ),
      text: (r) => `${r.entered_by} ${r.confirmed_by ?? ''}`,
    },
    {
      key: 'at',
      title: t('desk.at'),
      cell: (r) => <span className="num">{format.time(r.entered_at)}</span>,
      text: (r) => r.entered_at,
    },
  ];
}

const stale = [
  ['admin', 'desk'],
  ['admin', 'payments'],
  ['admin', 'suspense'],
];

function Awaited({ books }: { books: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('desk.awaited')}>
      <ResourceTable<AwaitedTransfer>
        label={t('desk.awaited')}
        queryKey={['admin', 'desk', 'awaited']}
        load={api.admin.awaitedTransfers}
        refresh={() => 60_000}
        rowKey={(a) => a.number}
        nameTitle={t('transfer.reference')}
        nameText={(a) => a.bank_reference}
        name={(a) => <CopyText text={a.bank_reference} />}
        columns={[
          {
            key: 'amount',
            title: t('order.amount'),
            align: 'right',
            cell: (a) => <span className="num">{format.money(a.amount)}</span>,
            text: (a) => a.amount.amount,
          },
          {
            key: 'account',
            title: t('admin.account'),
            cell: (a) => <CopyText text={a.account} shown={short(a.account)} />,
            text: (a) => a.account,
          },
          {
            key: 'created',
            title: t('common.created'),
            cell: (a) => <span className="num">{format.time(a.created_at)}</span>,
            text: (a) => a.created_at,
          },
          {
            key: 'until',
            title: t('desk.until'),
            cell: (a) => <span className="num">{format.time(a.expire_at)}</span>,
            text: (a) => a.expire_at,
          },
        ]}
        actions={books ? (a) => <Enter awaited={a} /> : undefined}
        csv="awaited-transfers"
        empty={{ title: t('desk.none_awaited') }}
      />
    </Card>
  );
}

interface Seen {
  bank_reference: string;
  amount: number;
  received_on: string;
  proof: string;
  reason: string;
}

/** What stands on the statement of the bank is entered as it stands there. */
function Enter({ awaited }: { awaited: AwaitedTransfer }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Seen>();
  const enter = useCreate(
    (e: Seen, key) =>
      api.admin.enterTransfer({ ...e, payment: awaited.number, amount: e.amount.toFixed(2) }, key),
    stale,
  );
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button size="small" type="link" onClick={() => setOpen(true)}>
        {t('desk.enter')}
      </Button>
      <Modal
        open={open}
        title={t('desk.enter')}
        okText={t('desk.enter')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: enter.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          form.resetFields();
          enter.reset();
        }}
        destroyOnHidden
      >
        <p>{t('desk.enter_text')}</p>
        <Form<Seen>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ amount: Number(awaited.amount.amount), received_on: today() }}
          onFinish={(e) => enter.mutate(e, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="bank_reference" label={t('desk.bank_reference')} rules={required}>
            <Input className="mono" maxLength={64} autoComplete="off" />
          </Form.Item>
          <Form.Item name="amount" label={t('desk.really')} rules={required}>
            <InputNumber min={0.01} precision={2} style={{ width: '100%' }} />
          </Form.Item>
          <Form.Item name="received_on" label={t('desk.received_on')} rules={required}>
            <Input type="date" max={today()} />
          </Form.Item>
          <Form.Item name="proof" label={t('desk.proof')} extra={t('desk.proof_text')} rules={required}>
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
          <Form.Item name="reason" label={t('desk.reason')} rules={required}>
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
        </Form>
        <ProblemAlert error={enter.error} />
      </Modal>
    </>
  );
}

/** The day in China. */
export const today = () => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);

function Entered({ books }: { books: boolean }) {
  const { t } = useTranslation();
  const columns = useBookedColumns<BankTransfer>();
  return (
    <Card title={t('desk.transfers')}>
      <ResourceTable<BankTransfer>
        label={t('desk.transfers')}
        queryKey={['admin', 'desk', 'transfers']}
        load={api.admin.transfers}
        rowKey={(r) => r.id}
        nameTitle={t('desk.bank_reference')}
        nameText={(r) => r.bank_reference}
        name={(r) => <CopyText text={r.bank_reference} />}
        columns={[
          ...columns,
          {
            key: 'result',
            title: t('desk.result'),
            cell: (r) => (r.result ? t(`desk.result_${r.result}`, { defaultValue: r.result }) : '–'),
            text: (r) => r.result,
          },
        ]}
        actions={
          books
            ? (r) =>
                r.state === 'waiting' ? (
                  <Decide decide={(v) => api.admin.decideTransfer(r.id, v)} by={r.entered_by} stale={stale} />
                ) : null
            : undefined
        }
        csv="bank-transfers"
        empty={{ title: t('desk.none_transfers') }}
      />
    </Card>
  );
}

function Grants({ books }: { books: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const columns = useBookedColumns<Grant>();
  const kind = (g: Grant) => t(`desk.kind_${g.kind}`);
  return (
    <Card title={t('desk.grants')}>
      <ResourceTable<Grant>
        label={t('desk.grants')}
        queryKey={['admin', 'desk', 'grants']}
        load={api.admin.grants}
        rowKey={(g) => g.id}
        nameTitle={t('desk.kind')}
        nameText={kind}
        name={(g) => <span style={{ fontWeight: 500 }}>{kind(g)}</span>}
        columns={[
          ...columns,
          {
            key: 'account',
            title: t('admin.account'),
            cell: (g) => <CopyText text={g.account} shown={short(g.account)} />,
            text: (g) => g.account,
          },
          {
            key: 'expires',
            title: t('desk.expires'),
            cell: (g) => <span className="num">{g.expires_at ? format.date(g.expires_at) : '–'}</span>,
            text: (g) => g.expires_at,
          },
        ]}
        actions={
          books
            ? (g) =>
                g.state === 'waiting' ? (
                  <Decide decide={(v) => api.admin.decideGrant(g.id, v)} by={g.entered_by} stale={stale} />
                ) : null
            : undefined
        }
        csv="grants"
        empty={{ title: t('desk.none_grants') }}
      />
    </Card>
  );
}

/** For another person than who entered it: the API refuses the same one. */
export function Decide(p: { decide: (v: Verdict) => Promise<unknown>; by: string; stale: string[][] }) {
  const { t } = useTranslation();
  const act = useChange(p.decide, p.stale);
  const button = (verdict: Verdict) => (
    <Popconfirm
      title={t(`desk.${verdict}_confirm`, { by: short(p.by) })}
      okText={t(`desk.${verdict}`)}
      cancelText={t('common.cancel')}
      onConfirm={() => act.mutate(verdict)}
    >
      <Button size="small" type="link" danger={verdict === 'refuse'} loading={act.isPending}>
        {t(`desk.${verdict}`)}
      </Button>
    </Popconfirm>
  );
  return (
    <span>
      {button('book')}
      {button('refuse')}
      <ProblemAlert error={act.error} />
    </span>
  );
}

interface Given {
  kind: Grant['kind'];
  account: string;
  amount: number;
  expires_on?: string;
  reason: string;
}

function Give() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Given>();
  const gift = Form.useWatch('kind', form) !== 'goodwill';
  const give = useCreate(
    (e: Given, key) => api.admin.give({ ...e, account: e.account.trim(), amount: e.amount.toFixed(2) }, key),
    stale,
  );
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('desk.give')}
      </Button>
      <Modal
        open={open}
        title={t('desk.give')}
        okText={t('desk.give')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: give.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          form.resetFields();
          give.reset();
        }}
        destroyOnHidden
      >
        <p>{t('desk.give_text')}</p>
        <Form<Given>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ kind: 'gift' }}
          onFinish={(e) => give.mutate(e, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="kind" label={t('desk.kind')}>
            <Radio.Group
              options={(['gift', 'goodwill'] as const).map((k) => ({ value: k, label: t(`desk.kind_${k}`) }))}
            />
          </Form.Item>
          <Form.Item name="account" label={t('admin.account')} rules={required}>
            <Input className="mono" maxLength={40} autoComplete="off" />
          </Form.Item>
          <Form.Item name="amount" label={t('desk.amount')} rules={required}>
            <InputNumber min={0.01} precision={2} style={{ width: '100%' }} />
          </Form.Item>
          {gift ? (
            <Form.Item name="expires_on" label={t('desk.expires')} rules={required}>
              <Input type="date" min={today()} />
            </Form.Item>
          ) : null}
          <Form.Item name="reason" label={t('desk.reason')} rules={required}>
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
        </Form>
        <ProblemAlert error={give.error} />
      </Modal>
    </>
  );
}
