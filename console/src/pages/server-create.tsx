import { Button, Card, Form, Select, Skeleton } from 'antd';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway, SSLServerSettings } from '../api/types';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { EmptyState, ErrorState, ProblemAlert } from '../components/problem';
import { AdvancedFields, defaults, MainFields, settled } from '../components/server-fields';
import { WizardForm } from '../components/wizard-form';
import { hasServer, hasSSL, useGateways, useNetworks, useServers } from '../lib/catalog';
import { freePool } from '../lib/network';
import { useCreate } from '../lib/use';

type Entry = SSLServerSettings & { gateway: string };

export function ServerCreate() {
  const { t } = useTranslation();
  const gateways = useGateways();
  const networks = useNetworks();
  const servers = useServers();
  const waiting = gateways.isPending || networks.isPending || servers.isPending; // for what the defaults are made of
  const able = gateways.data?.items.filter((g) => g.state === 'active' && hasSSL(g)) ?? [];
  const active = able.filter((g) => !hasServer(servers.data?.items, g.id));
  return (
    <Page
      title={t('server.create')}
      lead={t('server.create_lead')}
      trail={[{ title: t('nav.servers'), to: '/ssl-servers' }]}
    >
      {waiting ? <Skeleton active /> : null}
      {gateways.isError ? <ErrorState error={gateways.error} retry={() => void gateways.refetch()} /> : null}
      {gateways.isSuccess && !waiting && active.length === 0 ? (
        <EmptyState
          title={t(able.length > 0 ? 'server.one_each' : 'server.no_gateway')}
          text={t(able.length > 0 ? 'server.one_each_text' : 'server.no_gateway_text')}
          action={
            <Link to="/buy">
              <Button type="primary">{t('gateway.buy')}</Button>
            </Link>
          }
        />
      ) : null}
      {active.length > 0 && !waiting ? <Creating gateways={active} /> : null}
    </Page>
  );
}

function Creating({ gateways }: { gateways: Gateway[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [form] = Form.useForm<Entry>();
  const networks = useNetworks().data?.items;
  const servers = useServers().data?.items;
  const wanted = params.get('gateway');
  const first = gateways.find((g) => g.id === wanted) ?? gateways[0];
  const entry = Form.useWatch<Partial<Entry> | undefined>([], form);
  const gateway = gateways.find((g) => g.id === entry?.gateway) ?? first;
  const create = useCreate((in_: Entry, key) => api.vpn.createServer(in_, key), [['servers'], ['gateway']]);

  const prefixes = networks?.find((n) => n.id === gateway?.network)?.prefixes;
  const taken = [...(servers ?? []).map((s) => s.pool), ...(networks ?? []).flatMap((n) => n.prefixes ?? [])];

  return (
    <WizardForm
      form={form}
      initialValues={{
        ...defaults,
        gateway: first?.id,
        name: t('server.name_example'),
        local_subnets: [],
        pool: freePool(taken, first?.ssl_connections),
      }}
      submit={t('server.create')}
      submitting={create.isPending}
      error={create.error ? <ProblemAlert error={create.error} /> : null}
      onSubmit={() =>
        create.mutate(settled(form.getFieldsValue(true) as Entry), {
          onSuccess: (s) => void navigate(`/ssl-servers/${s.id}`),
        })
      }
      summary={<Summary gateway={gateway} entry={entry} />}
      steps={[
        {
          key: 'all',
          title: '',
          fields: undefined,
          content: (
            <>
              <Form.Item name="gateway" label={t('server.gateway')} rules={[{ required: true }]}>
                <Select options={gateways.map((g) => ({ value: g.id, label: g.name }))} />
              </Form.Item>
              <MainFields connections={gateway?.ssl_connections} prefixes={prefixes} />
              <AdvancedFields />
            </>
          ),
        },
      ]}
    />
  );
}

function Summary({ gateway, entry: watched }: { gateway?: Gateway; entry?: Partial<Entry> }) {
  const { t } = useTranslation();
  return (
    <Card title={t('server.summary')}>
      <Facts
        facts={[
          { label: t('server.gateway'), value: gateway?.name ?? '–' },
          {
            label: t('option.ssl_connections'),
            value: gateway ? t('option.ssl_connections_value', { value: gateway.ssl_connections }) : '–',
          },
          {
            label: t('server.local_subnets'),
            value: (
              <span className="mono">
                {watched?.local_subnets?.join(', ') || t('server.local_subnets_gateway')}
              </span>
            ),
          },
          { label: t('server.pool'), value: <span className="mono">{watched?.pool || '–'}</span> },
          ...(watched?.pool6
            ? [{ label: t('server.pool6'), value: <span className="mono">{watched.pool6}</span> }]
            : []),
          { label: t('server.two_factor'), value: watched?.two_factor ? t('common.yes') : t('common.no') },
        ]}
      />
      <p className="small quiet" style={{ marginBottom: 0 }}>
        {t('server.free')}
      </p>
    </Card>
  );
}
