import { Button, Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AdminOrder, AdminPayment, AdminUser, Node } from '../api/types';
import { useBought } from '../components/bought';
import { CopyText } from '../components/copy-text';
import { NameCell, short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable, type Column } from '../components/resource-table';
import { Drain } from '../components/drain';
import { StateDot } from '../components/state-dot';
import { useRegionName } from '../lib/catalog';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';
import { useOrderColumns } from './orders';

function useAccountColumn<T extends { account?: string }>(): Column<T> {
  const { t } = useTranslation();
  return {
    key: 'account',
    title: t('admin.account'),
    cell: (row) => <CopyText text={row.account ?? ''} shown={short(row.account ?? '')} />,
    text: (row) => row.account,
  };
}

export function AdminUsers() {
  const { t } = useTranslation();
  const format = useFormat();
  const flag = (on: boolean) => <StateDot kind="flag" state={on ? 'yes' : 'no'} />;
  return (
    <Page title={t('nav.admin_users')} lead={t('admin.users_lead')}>
      <ResourceTable<AdminUser>
        label={t('nav.admin_users')}
        queryKey={['admin', 'users']}
        load={api.admin.users}
        rowKey={(u) => u.account}
        nameTitle={t('field.user_name')}
        nameText={(u) => u.user_name}
        name={(u) => <NameCell name={u.user_name} id={u.account} />}
        columns={[
          {
            key: 'email',
            title: t('security.email_verified'),
            cell: (u) => flag(u.email_verified),
            text: (u) => String(u.email_verified),
          },
          { key: 'totp', title: t('security.totp'), cell: (u) => flag(u.totp), text: (u) => String(u.totp) },
          { key: 'staff', title: t('admin.staff'), cell: (u) => flag(u.staff), text: (u) => String(u.staff) },
          {
            key: 'created',
            title: t('common.created'),
            cell: (u) => <span className="num">{format.time(u.created_at)}</span>,
            text: (u) => u.created_at,
          },
        ]}
        csv="users"
        empty={{ title: t('admin.no_users') }}
      />
    </Page>
  );
}

export function AdminOrders() {
  const { t } = useTranslation();
  const bought = useBought();
  const columns = useOrderColumns() as Column<AdminOrder>[];
  const account = useAccountColumn<AdminOrder>();
  return (
    <Page title={t('nav.admin_orders')} lead={t('admin.orders_lead')}>
      <ResourceTable<AdminOrder>
        label={t('nav.admin_orders')}
        queryKey={['admin', 'orders']}
        load={api.admin.orders}
        rowKey={(o) => o.id}
        nameTitle={t('order.order')}
        nameText={bought}
        name={(o) => <NameCell name={bought(o)} id={o.id} />}
        columns={[account, ...columns]}
        actions={(o) => (failed(o) ? <Retry order={o} /> : null)}
        csv="all-orders"
        refresh={() => 30_000}
        empty={{ title: t('order.empty') }}
      />
    </Page>
  );
}

const failed = (o: AdminOrder) => o.lines.some((line) => line.state === 'failed');

/** Makes again what could not be delivered; asks for no money. */
function Retry({ order }: { order: AdminOrder }) {
  const { t } = useTranslation();
  const retry = useChange(() => api.admin.retryOrder(order.id), [['admin', 'orders']]);
  return (
    <span>
      <Popconfirm
        title={t('admin.retry_confirm')}
        okText={t('admin.retry')}
        cancelText={t('common.cancel')}
        onConfirm={() => retry.mutate(undefined)}
      >
        <Button size="small" type="link" loading={retry.isPending}>
          {t('admin.retry')}
        </Button>
      </Popconfirm>
      <ProblemAlert error={retry.error} />
    </span>
  );
}

export function AdminPayments() {
  const { t } = useTranslation();
  const format = useFormat();
  const account = useAccountColumn<AdminPayment>();
  return (
    <Page title={t('nav.admin_payments')} lead={t('admin.payments_lead')}>
      <ResourceTable<AdminPayment>
        label={t('nav.admin_payments')}
        queryKey={['admin', 'payments']}
        load={api.admin.payments}
        rowKey={(p) => p.number}
        nameTitle={t('admin.payment_no')}
        nameText={(p) => p.number}
        name={(p) => <CopyText text={p.number} />}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (p) => <StateDot kind="payment" state={p.state} />,
            text: (p) => t(`state.payment.${p.state}`),
          },
          {
            key: 'amount',
            title: t('order.amount'),
            align: 'right',
            cell: (p) => <span className="num">{format.money(p.amount)}</span>,
            text: (p) => p.amount.amount,
          },
          {
            key: 'method',
            title: t('pay.method'),
            cell: (p) => p.method,
            text: (p) => p.method,
          },
          {
            key: 'order',
            title: t('order.order'),
            cell: (p) => <CopyText text={p.order} shown={short(p.order)} />,
            text: (p) => p.order,
          },
          account,
          {
            key: 'created',
            title: t('common.created'),
            cell: (p) => <span className="num">{format.time(p.created_at)}</span>,
            text: (p) => p.created_at,
          },
        ]}
        csv="payments"
        refresh={() => 30_000}
        empty={{ title: t('admin.no_payments') }}
      />
    </Page>
  );
}

export function AdminNodes() {
  const { t } = useTranslation();
  const me = useMe();
  const format = useFormat();
  const region = useRegionName();
  return (
    <Page title={t('nav.admin_nodes')} lead={t('admin.nodes_lead')}>
      <ResourceTable<Node>
        label={t('nav.admin_nodes')}
        queryKey={['nodes']}
        load={api.admin.nodes}
        rowKey={(n) => n.id}
        nameTitle={t('common.name')}
        nameText={(n) => n.name}
        name={(n) => <NameCell name={n.name} id={n.id} />}
        columns={[
          {
            key: 'health',
            title: t('common.state'),
            cell: (n) => <StateDot kind="node" state={n.health} />,
            text: (n) => t(`state.node.${n.health}`),
          },
          {
            key: 'draining',
            title: t('drain.service'),
            cell: (n) => <StateDot kind="drain" state={n.draining ? 'draining' : 'serving'} />,
            text: (n) => t(n.draining ? 'state.drain.draining' : 'state.drain.serving'),
          },
          {
            key: 'region',
            title: t('common.region'),
            cell: (n) => region(n.region),
            text: (n) => region(n.region),
          },
          {
            key: 'location',
            title: t('admin.location'),
            cell: (n) => n.location,
            text: (n) => n.location,
            optional: true,
          },
          {
            key: 'addresses',
            title: t('gateway.addresses'),
            cell: (n) => <span className="mono">{n.addresses.join(', ')}</span>,
            text: (n) => n.addresses.join(' '),
          },
          {
            key: 'generation',
            title: t('admin.generation'),
            align: 'right',
            cell: (n) => <span className="num">{`${n.applied} / ${n.generation}`}</span>,
            text: (n) => n.generation,
          },
          {
            key: 'version',
            title: t('admin.version'),
            cell: (n) => n.version || '–',
            text: (n) => n.version,
          },
          {
            key: 'seen',
            title: t('admin.last_seen'),
            cell: (n) => <span className="num">{format.time(n.last_seen_at, true)}</span>,
            text: (n) => n.last_seen_at,
          },
        ]}
        csv="gateway-nodes"
        actions={can(me, 'fleet.write') ? (n) => <Drain node={n} /> : undefined}
        refresh={() => 10_000}
        empty={{ title: t('admin.no_nodes'), text: t('admin.no_nodes_text') }}
      />
    </Page>
  );
}
