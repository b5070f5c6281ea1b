import { Alert, Button, Card, Skeleton, Tabs } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway } from '../api/types';
import { CopyText } from '../components/copy-text';
import { EditGateway } from '../components/gateway-edit';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState } from '../components/problem';
import { PaidTime } from '../components/paid-time';
import { Release } from '../components/release';
import { ServerTable } from '../components/server-table';
import { SessionTable } from '../components/session-table';
import { StateDot } from '../components/state-dot';
import { Traffic } from '../components/traffic';
import { Upgrade } from '../components/upgrade';
import { hasServer, hasSSL, nameIn, useNetworks, useRegionName, useServers } from '../lib/catalog';
import { settling } from '../lib/states';
import { useFormat } from '../lib/use';

export function GatewayPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const servers = useServers();
  const gateway = useQuery({
    queryKey: ['gateway', id],
    queryFn: () => api.vpn.gateway(id),
    refetchInterval: (q) => (settling('gateway', q.state.data?.state ?? '') ? 2000 : 30_000),
  });
  if (gateway.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (gateway.isError) return <ErrorState error={gateway.error} retry={() => void gateway.refetch()} />;
  const g = gateway.data;
  const full = hasServer(servers.data?.items, g.id);
  const button = (
    <Button type="primary" disabled={full || g.state !== 'active' || !hasSSL(g)}>
      {t('server.create')}
    </Button>
  );
  // A disabled button inside a link would still lead there.
  const create = full ? (
    <span className="row">
      <span className="quiet">{t('server.one_each')}</span>
      {button}
    </span>
  ) : (
    <Link to={`/ssl-servers/new?gateway=${g.id}`}>{button}</Link>
  );
  return (
    <Page
      title={g.name}
      trail={[{ title: t('nav.gateways'), to: '/vpn-gateways' }]}
      action={
        <>
          <EditGateway gateway={g} />
          <Upgrade gateway={g} />
          <Release gateway={g} />
          {create}
        </>
      }
    >
      <Card>
        <About gateway={g} />
      </Card>
      <PaidTime gateway={g.id} />
      {g.problem ? (
        <Alert type="error" showIcon title={t('gateway.problem', { problem: g.problem })} />
      ) : null}
      <Tabs
        items={[
          { key: 'servers', label: t('nav.servers'), children: <ServerTable gateway={g.id} /> },
          { key: 'sessions', label: t('session.title'), children: <SessionTable gateway={g.id} /> },
          { key: 'traffic', label: t('traffic.monitoring'), children: <Traffic gateway={g.id} /> },
        ]}
      />
    </Page>
  );
}

function About({ gateway: g }: { gateway: Gateway }) {
  const { t } = useTranslation();
  const format = useFormat();
  const region = useRegionName();
  const networks = useNetworks().data?.items;
  return (
    <Facts
      columns={2}
      facts={[
        { label: t('common.state'), value: <StateDot kind="gateway" state={g.state} /> },
        { label: t('common.description'), value: g.description || '–' },
        { label: t('gateway.id'), value: <CopyText text={g.id} /> },
        { label: t('common.region'), value: region(g.region) },
        { label: t('gateway.network'), value: nameIn(networks, g.network) },
        {
          label: t('gateway.local_subnets'),
          value: g.local_subnets?.length ? (
            <span className="mono">{g.local_subnets.join(', ')}</span>
          ) : (
            t('gateway.local_subnets_all')
          ),
        },
        {
          label: t('option.ssl_bandwidth'),
          value: hasSSL(g)
            ? t('option.ssl_bandwidth_value', { value: g.ssl_bandwidth })
            : t('option.without'),
        },
        {
          label: t('option.ssl_connections'),
          value: hasSSL(g)
            ? t('option.ssl_connections_value', { value: g.ssl_connections })
            : t('option.without'),
        },
        {
          label: t('gateway.addresses'),
          value: g.addresses?.length ? g.addresses.map((a) => <CopyText key={a} text={a} />) : '–',
        },
        { label: t('common.created'), value: format.time(g.created_at) },
      ]}
    />
  );
}
