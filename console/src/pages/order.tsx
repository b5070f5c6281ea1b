import { useState } from 'react';
import { Alert, Button, Card, Result, Skeleton, Steps } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Order, OrderLine } from '../api/types';
import { useBought } from '../components/bought';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { OrderRefund } from '../components/order-refund';
import { PayBox } from '../components/pay-box';
import { ErrorState } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { useRegionName } from '../lib/catalog';
import { settling } from '../lib/states';
import { useFormat } from '../lib/use';
import { signed } from './invoices';

/** One order: what is bought, how to pay it, how far its delivery is. */
export function OrderPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const order = useQuery({
    queryKey: ['order', id],
    queryFn: () => api.shop.order(id),
    refetchInterval: (q) => {
      const state = q.state.data?.state ?? '';
      return settling('order', state) ? 1500 : state === 'pending_payment' ? 3000 : false;
    },
  });
  const bought = useBought();
  const trail = [{ title: t('nav.orders'), to: '/orders' }];
  if (order.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (order.isError) return <ErrorState error={order.error} retry={() => void order.refetch()} />;
  const o = order.data;
  return (
    <Page
      title={bought(o)}
      trail={trail}
      action={o.state === 'pending_payment' ? <Cancel order={o} /> : null}
    >
      {o.state === 'completed' ? <Delivered order={o} /> : null}
      <div className="withside">
        <div className="stack">
          {o.state === 'pending_payment' ? <PayBox order={o} /> : null}
          {settling('order', o.state) || o.state === 'completed' ? <Progress order={o} /> : null}
          <Closed order={o} />
          <Lines lines={o.lines} begun={o.state !== 'pending_payment'} />
          {paid(o) ? <OrderRefund order={o} /> : null}
        </div>
        <aside className="side">
          <div className="stack">
            <About order={o} />
            {paid(o) ? <Documents order={o} /> : null}
          </div>
        </aside>
      </div>
    </Page>
  );
}

const paid = (o: Order) => Boolean(o.paid_at && !o.paid_at.startsWith('0001'));

/** The invoice of an order, and the credit notes of its refunds. */
function Documents({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  const all = useQuery({
    queryKey: ['invoices', 'of', o.id],
    queryFn: () => api.shop.invoices({ order: o.id }),
    refetchInterval: 15_000,
  });
  if (!all.data?.items.length) return null;
  return (
    <Card title={t('nav.invoices')}>
      <div className="stack">
        {all.data.items.map((d) => (
          <div className="spread" key={d.id}>
            <span>
              <Link to={`/invoices/${d.id}`} className="mono">
                {d.number}
              </Link>
              <div className="small quiet">{t(`invoice.kind_${d.kind}`)}</div>
            </span>
            <span className="num">{format.money(signed(d.kind, d.total))}</span>
          </div>
        ))}
      </div>
    </Card>
  );
}

function About({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('order.about')}>
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="order" state={o.state} /> },
          { label: t('order.total'), value: <b>{format.money(o.total)}</b> },
          { label: t('order.placed'), value: format.time(o.placed_at) },
          { label: t('order.paid'), value: format.time(o.paid_at) },
          { label: t('order.number'), value: <CopyText text={o.id} wrap /> },
        ]}
      />
    </Card>
  );
}

function Delivered({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const changed = o.kind === 'upgrade' ? o.lines[0]?.resource : undefined;
  if (changed) {
    return (
      <Result
        status="success"
        style={{ padding: '12px 0' }}
        title={t('upgrade.done')}
        subTitle={t('upgrade.done_text')}
        extra={
          <Link to={`/vpn-gateways/${changed}`}>
            <Button type="primary">{t('upgrade.to_gateway')}</Button>
          </Link>
        }
      />
    );
  }
  return (
    <Result
      status="success"
      style={{ padding: '12px 0' }}
      title={t('order.delivered')}
      subTitle={t('order.delivered_text')}
      extra={
        <div className="row" style={{ justifyContent: 'center' }}>
          <Link to="/ssl-servers/new">
            <Button type="primary">{t('server.create')}</Button>
          </Link>
          <Link to="/vpn-gateways">
            <Button>{t('nav.gateways')}</Button>
          </Link>
        </div>
      }
    />
  );
}

const stages = ['placed', 'paid', 'fulfilling', 'completed'];

/** Long work shows its steps with times; it goes on when the page is left. */
function Progress({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  const at = Math.max(stages.indexOf(o.state), 1);
  const times: Record<string, string | undefined> = {
    placed: o.placed_at,
    paid: o.paid_at,
    completed: o.ended_at,
  };
  return (
    <Card title={t('order.progress')}>
      <Steps
        orientation="vertical"
        size="small"
        current={o.state === 'completed' ? stages.length : at}
        items={stages.map((s) => ({
          title: t(s === 'fulfilling' && o.kind === 'upgrade' ? 'upgrade.applying' : `order.stage_${s}`),
          content: times[s] && !times[s].startsWith('0001') ? format.time(times[s], true) : undefined,
        }))}
      />
      {o.state === 'completed' ? null : <p className="small quiet">{t('order.may_leave')}</p>}
    </Card>
  );
}

function Closed({ order: o }: { order: Order }) {
  const { t, i18n } = useTranslation();
  const key = `order.note_${o.state}`;
  // An order whose refund failed needs attention too: its card says what there is to do.
  const made = o.state === 'needs_attention' && o.lines.every((l) => l.state === 'delivered');
  if (made || !i18n.exists(key)) return null;
  return <Alert type={o.state === 'needs_attention' ? 'error' : 'info'} showIcon title={t(key)} />;
}

function Lines({ lines, begun }: { lines: OrderLine[]; begun: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const region = useRegionName();
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, 5);
  return (
    <Card title={t('order.lines')}>
      <div className="stack">
        {shown.map((l) => (
          <Facts
            key={l.id || l.number}
            columns={2}
            facts={[
              { label: t('order.product'), value: t(`product.${l.product}`, { defaultValue: l.product }) },
              ...(begun
                ? [{ label: t('common.state'), value: <StateDot kind="line" state={l.state} /> }]
                : []),
              { label: t('common.name'), value: l.configuration?.name || '–' },
              { label: t('common.region'), value: region(l.region) },
              ...Object.entries(l.options).map(([id, value]) => ({
                label: t(`option.${id}`, { defaultValue: id }),
                value: t(`option.${id}_value`, { value, defaultValue: value }),
              })),
              { label: t('buy.cycle'), value: t('buy.months', { count: l.cycle }) },
              { label: t('order.amount'), value: format.money(l.amount) },
            ]}
          />
        ))}
        {lines.length > shown.length ? (
          <Button onClick={() => setAll(true)}>{t('common.more')}</Button>
        ) : null}
      </div>
    </Card>
  );
}

function Cancel({ order }: { order: Order }) {
  const { t } = useTranslation();
  return (
    <ConfirmDelete
      name={order.id}
      label={t('order.cancel')}
      loss={t('order.cancel_text')}
      remove={() => api.shop.cancel(order.id)}
      stale={[['order', order.id], ['orders']]}
    />
  );
}
