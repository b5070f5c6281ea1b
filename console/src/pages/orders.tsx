import { Button } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Order } from '../api/types';
import { useBought } from '../components/bought';
import { NameCell } from '../components/name-cell';
import { Page } from '../components/page';
import { ResourceTable, type Column } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { settling } from '../lib/states';
import { useFormat } from '../lib/use';

export function useOrderColumns(): Column<Order>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    {
      key: 'state',
      title: t('common.state'),
      cell: (o) => <StateDot kind="order" state={o.state} />,
      text: (o) => t(`state.order.${o.state}`),
    },
    {
      key: 'total',
      title: t('order.total'),
      align: 'right',
      cell: (o) => <span className="num">{format.money(o.total)}</span>,
      text: (o) => o.total.amount,
    },
    {
      key: 'placed',
      title: t('order.placed'),
      cell: (o) => <span className="num">{format.time(o.placed_at)}</span>,
      text: (o) => o.placed_at,
    },
    {
      key: 'paid',
      title: t('order.paid'),
      cell: (o) => <span className="num">{format.time(o.paid_at)}</span>,
      text: (o) => o.paid_at,
      optional: true,
    },
  ];
}

export function Orders() {
  const { t } = useTranslation();
  const format = useFormat();
  const bought = useBought();
  const columns = useOrderColumns();
  const wallet = useQuery({ queryKey: ['wallet'], queryFn: api.shop.wallet, retry: false });
  const buy = (
    <Link to="/buy">
      <Button type="primary">{t('nav.buy')}</Button>
    </Link>
  );
  return (
    <Page
      title={t('nav.orders')}
      lead={
        <>
          {t('order.lead')}
          {wallet.data ? <> {t('order.balance', { amount: format.money(wallet.data.balance) })}</> : null}
        </>
      }
      action={buy}
    >
      <ResourceTable<Order>
        label={t('nav.orders')}
        queryKey={['orders', 'list']}
        load={api.shop.orders}
        rowKey={(o) => o.id}
        nameTitle={t('order.order')}
        nameText={bought}
        name={(o) => <NameCell name={bought(o)} id={o.id} to={`/orders/${o.id}`} />}
        columns={columns}
        csv="orders"
        refresh={(rows) => (rows.some((o) => settling('order', o.state)) ? 3000 : 30_000)}
        empty={{ title: t('order.empty'), text: t('order.empty_text'), action: buy }}
        actions={(o) => (
          <Link to={`/orders/${o.id}`}>
            {o.state === 'pending_payment' ? t('order.pay') : t('common.view')}
          </Link>
        )}
      />
    </Page>
  );
}
