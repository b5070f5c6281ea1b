import { useState } from 'react';
import { Button, Card, InputNumber, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Wallet as WalletState, WalletLine } from '../api/types';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { Paying } from '../components/pay-box';
import { EmptyState, ErrorState } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useFormat } from '../lib/use';

/** What was paid in and given, how to pay in, and every movement. */
export function Wallet() {
  const { t } = useTranslation();
  const wallet = useQuery({ queryKey: ['wallet'], queryFn: api.shop.wallet, refetchInterval: 10_000 });
  if (wallet.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (wallet.isError) return <ErrorState error={wallet.error} retry={() => void wallet.refetch()} />;
  return (
    <Page title={t('nav.wallet')} lead={t('wallet.lead')}>
      <div className="withside">
        <div className="stack">
          <TopUp wallet={wallet.data} />
          <Lines />
        </div>
        <aside className="side">
          <Balance wallet={wallet.data} />
        </aside>
      </div>
    </Page>
  );
}

function Balance({ wallet }: { wallet: WalletState }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('wallet.balance')}>
      <Facts
        facts={[
          { label: t('wallet.paid'), value: <b className="num">{format.money(wallet.balance)}</b> },
          { label: t('wallet.gift'), value: <span className="num">{format.money(wallet.gift)}</span> },
          ...(Number(wallet.held.amount) > 0
            ? [{ label: t('wallet.held'), value: <span className="num">{format.money(wallet.held)}</span> }]
            : []),
          ...wallet.gifts.map((g) => ({
            label: t('wallet.gift_until', { date: format.date(g.expires_at) }),
            value: <span className="num">{format.money(g.amount)}</span>,
          })),
        ]}
      />
      <p className="small quiet">{t('wallet.gift_text')}</p>
    </Card>
  );
}

const offered = [50, 100, 200, 500];

function TopUp({ wallet }: { wallet: WalletState }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [amount, setAmount] = useState<number | null>(100);
  const methods = useQuery({ queryKey: ['payment-methods'], queryFn: api.shop.methods, staleTime: 60_000 });
  const range = wallet.top_up;
  const due = { amount: (amount ?? 0).toFixed(2), currency: range.min.currency };
  const fits = amount !== null && amount >= Number(range.min.amount) && amount <= Number(range.max.amount);
  if (!range.open || methods.data?.items.length === 0) {
    return (
      <Card title={t('wallet.top_up')}>
        <EmptyState title={t('wallet.closed')} />
      </Card>
    );
  }
  return (
    <Card title={t('wallet.top_up')}>
      <div className="stack">
        <label className="stack" style={{ gap: 4 }}>
          <span>{t('wallet.amount', { min: format.money(range.min), max: format.money(range.max) })}</span>
          <InputNumber
            value={amount}
            onChange={setAmount}
            min={Number(range.min.amount)}
            max={Number(range.max.amount)}
            precision={2}
            step={10}
            style={{ width: 200 }}
          />
        </label>
        <div className="row">
          {offered.map((v) => (
            <Button key={v} size="small" onClick={() => setAmount(v)}>
              {format.money({ amount: v.toFixed(2), currency: range.min.currency })}
            </Button>
          ))}
        </div>
        {methods.isPending ? <Skeleton active /> : null}
        {methods.isError ? <ErrorState error={methods.error} retry={() => void methods.refetch()} /> : null}
        {methods.data?.items.length ? (
          <Paying
            methods={methods.data.items}
            due={due}
            disabled={!fits}
            pay={(method, key) => api.shop.topUp({ method, amount: due.amount }, key)}
            stale={[['wallet'], ['top-ups']]}
            beside={<LastTopUp />}
          />
        ) : null}
      </div>
    </Card>
  );
}

function LastTopUp() {
  const { t } = useTranslation();
  const all = useQuery({
    queryKey: ['top-ups'],
    queryFn: api.shop.topUps,
    refetchInterval: 3000,
    retry: false,
  });
  const last = all.data?.items[0];
  if (!last) return null;
  return (
    <span className="row quiet" aria-live="polite">
      {t('pay.last')} <StateDot kind="payment" state={last.state} />
    </span>
  );
}

function Lines() {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = (l: WalletLine) => t(`wallet.kind_${l.kind}`, { defaultValue: l.kind });
  return (
    <Card title={t('wallet.lines')}>
      <ResourceTable<WalletLine>
        label={t('wallet.lines')}
        queryKey={['wallet', 'lines']}
        load={async () => ({ items: (await api.shop.wallet()).lines, next_cursor: '' })}
        refresh={() => 30_000}
        rowKey={(l) => `${l.at} ${l.purse} ${l.kind} ${l.balance_after.amount}`}
        nameTitle={t('wallet.what')}
        nameText={kind}
        name={(l) => (l.order ? <Link to={`/orders/${l.order}`}>{kind(l)}</Link> : kind(l))}
        columns={[
          {
            key: 'at',
            title: t('wallet.at'),
            cell: (l) => <span className="num">{format.time(l.at)}</span>,
            text: (l) => l.at,
          },
          {
            key: 'purse',
            title: t('wallet.purse'),
            cell: (l) => t(`wallet.${l.purse}`),
            text: (l) => t(`wallet.${l.purse}`),
          },
          {
            key: 'amount',
            title: t('order.amount'),
            align: 'right',
            cell: (l) => <span className="num">{format.money(l.amount)}</span>,
            text: (l) => l.amount.amount,
          },
          {
            key: 'after',
            title: t('wallet.after'),
            align: 'right',
            cell: (l) => <span className="num">{format.money(l.balance_after)}</span>,
            text: (l) => l.balance_after.amount,
          },
        ]}
        csv="wallet"
        empty={{ title: t('wallet.none'), text: t('wallet.none_text') }}
      />
    </Card>
  );
}
