import { useState, type ReactNode } from 'react';
import { Alert, Button, Card, Form, Modal, Radio, Select, Skeleton, Timeline, Tooltip } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { RefundDetail, RefundStep } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { ofServices } from '../components/refund-steps';
import { reasons, useRefundProblem } from '../components/refund-words';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { settling } from '../lib/states';
import { useChange, useFormat } from '../lib/use';

/** One refund: what it is, what may be done now, and everything that happened. */
export function AdminRefund() {
  const { t } = useTranslation();
  const { number = '' } = useParams();
  const found = useQuery({
    queryKey: ['admin', 'refund', number],
    queryFn: () => api.admin.refund(number),
    refetchInterval: (q) => (settling('refund', q.state.data?.state ?? '') ? 2000 : 15_000),
  });
  if (found.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (found.isError) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  const r = found.data;
  return (
    <Page
      title={t('refund.one', { number: short(r.number) })}
      trail={[{ title: t('nav.admin_refunds'), to: '/admin/refunds' }]}
    >
      <div className="withside">
        <div className="stack">
          <Now refund={r} />
          <Card title={t('refund.history')}>
            <History steps={r.steps} />
          </Card>
        </div>
        <aside className="side">
          <About refund={r} />
        </aside>
      </div>
    </Page>
  );
}

function About({ refund: r }: { refund: RefundDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problem = useRefundProblem();
  return (
    <Card title={t('refund.about')}>
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="refund" state={r.state} /> },
          { label: t('refund.amount'), value: <b>{format.money(r.amount)}</b> },
          { label: t('refund.rule'), value: t(`refund.rule_${r.rule}`) },
          { label: t('refund.target'), value: t(`refund.target_${r.target}`) },
          ...(r.problem ? [{ label: t('refund.problem'), value: problem(r.problem) }] : []),
          { label: t('refund.requested_at'), value: format.time(r.requested_at) },
          ...(r.settled_at ? [{ label: t('refund.settled_at'), value: format.time(r.settled_at) }] : []),
          { label: t('admin.account'), value: <CopyText text={r.account} shown={short(r.account)} /> },
          ...(r.order
            ? [{ label: t('refund.order'), value: <CopyText text={r.order} shown={short(r.order)} /> }]
            : []),
          ...(r.payment
            ? [
                {
                  label: t('admin.payment_no'),
                  value: <CopyText text={r.payment} shown={short(r.payment)} />,
                },
                { label: t('refund.provider'), value: r.gateway },
              ]
            : []),
          ...(r.last_query
            ? [
                {
                  label: t('refund.last_query'),
                  value: `${problem(r.last_query)} · ${format.time(r.last_query_at)}`,
                },
              ]
            : []),
          ...(r.next_query_at
            ? [{ label: t('refund.next_query'), value: format.time(r.next_query_at) }]
            : []),
          { label: t('refund.number'), value: <CopyText text={r.number} wrap /> },
        ]}
      />
    </Card>
  );
}

type Send = (refund: RefundDetail, reason: string) => Promise<unknown>;

interface ActProps {
  refund: RefundDetail;
  name: string;
  send: Send;
  text?: ReactNode;
  primary?: boolean;
  danger?: boolean;
  /** Asks for the code of a reason. */
  reason?: boolean;
  /** Why this person may not, in words. */
  barred?: string;
}

/** What a person may do with a refund in its state. */
function Now({ refund: r }: { refund: RefundDetail }) {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const barred = can(me, 'refund.handle') ? undefined : t('refund.no_permission');
  const acts = actsOf(r);
  if (acts.length === 0 && !i18n.exists(`refund.now_${r.state}`)) return null;
  const byHand = r.state === 'unknown' && !r.next_query_at;
  return (
    <Card title={t('refund.todo')}>
      <div className="stack">
        <p style={{ margin: 0 }}>{t(byHand ? 'refund.now_by_hand' : `refund.now_${r.state}`)}</p>
        {r.state === 'review' && r.seconded ? (
          <Alert
            type="info"
            showIcon
            title={t(r.seconded_by_you ? 'refund.you_were_first' : 'refund.be_second')}
          />
        ) : null}
        {barred && acts.some((a) => !a.reads) ? <Alert type="warning" showIcon title={barred} /> : null}
        <div className="row">
          {acts.map(({ reads, own, ...act }) => (
            <Act
              key={act.name}
              refund={r}
              {...act}
              barred={reads ? undefined : (barred ?? (own ? t('refund.you_were_first') : undefined))}
            />
          ))}
        </div>
      </div>
    </Card>
  );
}

type Possible = Omit<ActProps, 'refund' | 'barred'> & {
  /** For everybody who sees the page. */
  reads?: boolean;
  /** This person has done it already. */
  own?: boolean;
};

function actsOf(r: RefundDetail): Possible[] {
  const act =
    (one: Parameters<typeof api.admin.refundAct>[1]): Send =>
    (x) =>
      api.admin.refundAct(x.number, one);
  switch (r.state) {
    case 'review':
      return [
        { name: 'approve', primary: true, send: act('approve'), own: r.seconded_by_you },
        {
          name: 'reject',
          danger: true,
          reason: true,
          send: (x, why) => api.admin.rejectRefund(x.number, why),
        },
      ];
    case 'failed':
      return [
        { name: 'retry', primary: true, send: act('retry') },
        { name: 'to_wallet', send: act('to-wallet') },
        { name: 'abandon', danger: true, send: act('abandon') },
      ];
    case 'unknown':
    case 'processing':
      if (r.next_query_at)
        return [{ name: 'query', reads: true, send: (x) => api.admin.queryRefund(x.number) }];
      return r.state === 'unknown' ? [{ name: 'settle', primary: true, send: () => Promise.resolve() }] : [];
    default:
      return [];
  }
}

function Act(p: ActProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const button = (
    <Button
      type={p.primary ? 'primary' : undefined}
      danger={p.danger}
      disabled={Boolean(p.barred)}
      onClick={() => setOpen(true)}
    >
      {t(`refund.act_${p.name}`)}
    </Button>
  );
  return (
    <>
      {p.barred ? (
        <Tooltip title={p.barred}>
          <span>{button}</span>
        </Tooltip>
      ) : (
        button
      )}
      {open ? <Confirm {...p} close={() => setOpen(false)} /> : null}
    </>
  );
}

interface Entry {
  reason?: string;
  outcome?: 'paid_back' | 'not_paid_back';
}

/** Names what is about to happen, with the amount, before it does. */
function Confirm({ close, ...p }: ActProps & { close: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [form] = Form.useForm<Entry>();
  const settles = p.name === 'settle';
  const r = p.refund;
  const act = useChange(
    (e: Entry) =>
      settles && e.outcome ? api.admin.settleRefund(r.number, e.outcome) : p.send(r, e.reason ?? ''),
    [
      ['admin', 'refund', r.number],
      ['admin', 'refunds'],
    ],
  );
  const required = [{ required: true, message: t('field.required') }];
  return (
    <Modal
      open
      title={t(`refund.act_${p.name}`)}
      okText={t(`refund.act_${p.name}`)}
      cancelText={t('common.cancel')}
      okButtonProps={{ danger: p.danger, loading: act.isPending }}
      onOk={() => form.submit()}
      onCancel={close}
    >
      <div className="stack">
        <Facts
          facts={[
            { label: t('refund.amount'), value: <b>{format.money(r.amount)}</b> },
            { label: t('refund.target'), value: t(`refund.target_${r.target}`) },
            { label: t('refund.number'), value: <CopyText text={r.number} wrap /> },
          ]}
        />
        <p style={{ margin: 0 }}>
          {t(`refund.confirm_${p.name}`)}
          {p.name === 'approve' && ofServices(r) ? ` ${t('refund.confirm_services')}` : ''}
        </p>
        <Form<Entry>
          form={form}
          layout="vertical"
          requiredMark={false}
          onFinish={(e) => act.mutate(e, { onSuccess: close })}
        >
          {p.reason ? (
            <Form.Item
              name="reason"
              label={t('refund.reason')}
              extra={t('refund.reason_text')}
              rules={required}
            >
              <Select options={reasons.map((c) => ({ value: c, label: t(`refund.why_${c}`) }))} />
            </Form.Item>
          ) : null}
          {settles ? (
            <Form.Item name="outcome" label={t('refund.outcome')} rules={required}>
              <Radio.Group
                style={{ display: 'flex', flexDirection: 'column', gap: 8 }}
                options={(['paid_back', 'not_paid_back'] as const).map((o) => ({
                  value: o,
                  label: t(`refund.outcome_${o}`),
                }))}
              />
            </Form.Item>
          ) : null}
        </Form>
        <ProblemAlert error={act.error} />
      </div>
    </Modal>
  );
}

const colours: Record<string, string> = {
  ok: 'green',
  execute_wallet: 'green',
  to_wallet: 'green',
  fail: 'red',
  reject: 'red',
};

function History({ steps }: { steps: RefundStep[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const why = useRefundProblem();
  return (
    <Timeline
      items={steps.map((s, i) => ({
        key: i,
        color: colours[s.event] ?? (s.event === 'timeout' ? 'orange' : 'blue'),
        content: (
          <div>
            <b>{t(`refund.event_${s.event}`, { defaultValue: s.event })}</b>
            <div className="small quiet">
              <span className="num">{format.time(s.at, true)}</span>
              {' · '}
              {t(`refund.by_${s.class}`)}
              {s.handle && s.class === 'staff' ? (
                <>
                  {' '}
                  <CopyText text={s.handle} shown={short(s.handle)} />
                </>
              ) : null}
            </div>
            {s.reason && s.reason !== 'customer' ? <div className="small">{why(s.reason)}</div> : null}
          </div>
        ),
      }))}
    />
  );
}
