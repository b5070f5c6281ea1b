import { Button } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { SSLServer } from '../api/types';
import { nameIn, useGateways } from '../lib/catalog';
import { settling } from '../lib/states';
import { useFormat } from '../lib/use';
import { NameCell } from './name-cell';
import { ResourceTable, type Column } from './resource-table';
import { StateDot } from './state-dot';

/** The SSL servers, all or of one gateway. */
export function ServerTable({ gateway }: { gateway?: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const gateways = useGateways().data?.items;
  const columns: Column<SSLServer>[] = [
    {
      key: 'state',
      title: t('common.state'),
      cell: (s) => <StateDot kind="server" state={s.state} />,
      text: (s) => t(`state.server.${s.state}`),
    },
    {
      key: 'gateway',
      title: t('server.gateway'),
      cell: (s) => <Link to={`/vpn-gateways/${s.gateway}`}>{nameIn(gateways, s.gateway)}</Link>,
      text: (s) => nameIn(gateways, s.gateway),
    },
    {
      key: 'subnets',
      title: t('server.local_subnets'),
      cell: (s) =>
        s.local_subnets.length > 0 ? <Some items={s.local_subnets} /> : t('server.local_subnets_gateway'),
      text: (s) => s.local_subnets.join(' ') || t('server.local_subnets_gateway'),
    },
    {
      key: 'pool',
      title: t('server.pool'),
      cell: (s) => <span className="mono">{s.pool}</span>,
      text: (s) => s.pool,
    },
    {
      key: 'created',
      title: t('common.created'),
      cell: (s) => <span className="num">{format.time(s.created_at)}</span>,
      text: (s) => s.created_at,
      hideOnCard: true,
    },
  ];
  const create = (
    <Link to={gateway ? `/ssl-servers/new?gateway=${gateway}` : '/ssl-servers/new'}>
      <Button type="primary">{t('server.create')}</Button>
    </Link>
  );
  return (
    <ResourceTable<SSLServer>
      label={t('nav.servers')}
      queryKey={['servers', 'list']}
      load={api.vpn.servers}
      filter={gateway ? (s) => s.gateway === gateway : undefined}
      rowKey={(s) => s.id}
      nameTitle={t('common.name')}
      nameText={(s) => s.name}
      name={(s) => <NameCell name={s.name} id={s.id} to={`/ssl-servers/${s.id}`} />}
      columns={gateway ? columns.filter((c) => c.key !== 'gateway') : columns}
      csv="ssl-servers"
      refresh={(rows) => (rows.some((s) => settling('server', s.state)) ? 2000 : 30_000)}
      empty={{ title: t('server.empty'), text: t('server.empty_text'), action: create }}
      actions={(s) => <Link to={`/ssl-servers/${s.id}`}>{t('common.view')}</Link>}
    />
  );
}

function Some({ items }: { items: string[] }) {
  return (
    <span className="mono">
      {items.slice(0, 2).join(', ')}
      {items.length > 2 ? ` +${items.length - 2}` : ''}
    </span>
  );
}
