import { Button } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway } from '../api/types';
import { NameCell } from '../components/name-cell';
import { Page } from '../components/page';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { nameIn, useNetworks, useRegionName } from '../lib/catalog';
import { settling } from '../lib/states';
import { useFormat } from '../lib/use';

export function Gateways() {
  const { t } = useTranslation();
  const format = useFormat();
  const region = useRegionName();
  const networks = useNetworks().data?.items;
  const buy = (
    <Link to="/buy">
      <Button type="primary">{t('gateway.buy')}</Button>
    </Link>
  );
  return (
    <Page title={t('nav.gateways')} lead={t('gateway.lead')} action={buy}>
      <ResourceTable<Gateway>
        label={t('nav.gateways')}
        queryKey={['gateways', 'list']}
        load={api.vpn.gateways}
        rowKey={(g) => g.id}
        nameTitle={t('common.name')}
        nameText={(g) => g.name}
        name={(g) => <NameCell name={g.name} id={g.id} to={`/vpn-gateways/${g.id}`} />}
        csv="vpn-gateways"
        refresh={(rows) => (rows.some((g) => settling('gateway', g.state)) ? 2000 : 30_000)}
        empty={{ title: t('gateway.empty'), text: t('gateway.empty_text'), action: buy }}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (g) => <StateDot kind="gateway" state={g.state} />,
            text: (g) => t(`state.gateway.${g.state}`),
          },
          {
            key: 'region',
            title: t('common.region'),
            cell: (g) => region(g.region),
            text: (g) => region(g.region),
          },
          {
            key: 'network',
            title: t('gateway.network'),
            cell: (g) => nameIn(networks, g.network),
            text: (g) => nameIn(networks, g.network),
          },
          {
            key: 'bandwidth',
            title: t('option.ssl_bandwidth'),
            align: 'right',
            cell: (g) => (
              <span className="num">{t('option.ssl_bandwidth_value', { value: g.ssl_bandwidth })}</span>
            ),
            text: (g) => g.ssl_bandwidth,
          },
          {
            key: 'connections',
            title: t('option.ssl_connections'),
            align: 'right',
            cell: (g) => <span className="num">{format.number(g.ssl_connections)}</span>,
            text: (g) => g.ssl_connections,
          },
          {
            key: 'created',
            title: t('common.created'),
            cell: (g) => <span className="num">{format.time(g.created_at)}</span>,
            text: (g) => g.created_at,
            hideOnCard: true,
          },
        ]}
        actions={(g) => <Link to={`/vpn-gateways/${g.id}`}>{t('common.view')}</Link>}
      />
    </Page>
  );
}
