import { Button, Card, Drawer, Form, Skeleton, Tabs } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { SSLGroup, SSLServer, SSLServerSettings } from '../api/types';
import { RuleLines } from '../components/access-fields';
import { BlockedCertificates } from '../components/blocked-certificates';
import { ClientTable } from '../components/client-table';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { AdvancedFields, defaults, MainFields, settled } from '../components/server-fields';
import { SessionTable } from '../components/session-table';
import { StateDot } from '../components/state-dot';
import { nameIn, useGateways, useNetworks } from '../lib/catalog';
import { settling } from '../lib/states';
import { useNarrow } from '../lib/media';
import { useChange, useFormat, useOpened, useToggle } from '../lib/use';

export function ServerPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const [editing, edit, stop] = useToggle();
  const server = useQuery({
    queryKey: ['server', id],
    queryFn: () => api.vpn.server(id),
    refetchInterval: (q) => (settling('server', q.state.data?.state ?? '') ? 2000 : 30_000),
  });
  if (server.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (server.isError) return <ErrorState error={server.error} retry={() => void server.refetch()} />;
  const s = server.data;
  return (
    <Page
      title={s.name}
      trail={[{ title: t('nav.servers'), to: '/ssl-servers' }]}
      action={
        <>
          <Button onClick={edit}>{t('common.edit')}</Button>
          <Link to={`/ssl-clients?create=1&server=${s.id}`}>
            <Button type="primary">{t('client.create')}</Button>
          </Link>
        </>
      }
    >
      <Card>
        <About server={s} />
      </Card>
      <Tabs
        items={[
          { key: 'clients', label: t('nav.clients'), children: <ClientTable server={s.id} /> },
          { key: 'sessions', label: t('session.title'), children: <SessionTable server={s.id} /> },
          ...(s.client_cas.length > 0
            ? [{ key: 'blocked', label: t('block.title'), children: <BlockedCertificates server={s} /> }]
            : []),
          { key: 'settings', label: t('server.settings'), children: <AllSettings server={s} /> },
        ]}
      />
      <Danger server={s} />
      {editing ? <Edit server={s} close={stop} /> : null}
    </Page>
  );
}

function About({ server: s }: { server: SSLServer }) {
  const { t } = useTranslation();
  const gateways = useGateways().data?.items;
  const address = s.server_names[0] ? `${s.server_names[0]}:${s.port}` : '';
  return (
    <Facts
      columns={2}
      facts={[
        { label: t('common.state'), value: <StateDot kind="server" state={s.state} /> },
        {
          label: t('server.gateway'),
          value: <Link to={`/vpn-gateways/${s.gateway}`}>{nameIn(gateways, s.gateway)}</Link>,
        },
        { label: t('server.address'), value: <CopyText text={address} wrap /> },
        { label: t('server.pin'), value: <CopyText text={s.pin} /> },
        {
          label: t('server.local_subnets'),
          value: (
            <span className="mono">{s.local_subnets.join(', ') || t('server.local_subnets_gateway')}</span>
          ),
        },
        {
          label: t('server.pool'),
          value: <span className="mono">{[s.pool, s.pool6].filter(Boolean).join(', ')}</span>,
        },
        { label: t('server.login_mode'), value: t(`server.login_mode_${s.login_mode}`) },
        { label: t('server.two_factor'), value: s.two_factor ? t('common.yes') : t('common.no') },
        { label: t('common.description'), value: s.description || '–' },
        { label: t('server.id'), value: <CopyText text={s.id} /> },
      ]}
    />
  );
}

function textOf(item: string | SSLGroup): string {
  return typeof item === 'string' ? item : `${item.label ?? item.name} (/${item.name})`;
}

/** Settings whose values have names of their own. */
const named: string[] = ['tunnel_mode', 'login_mode'];

function AllSettings({ server }: { server: SSLServer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const show = (value: unknown): string => {
    if (typeof value === 'boolean') return value ? t('common.yes') : t('common.no');
    if (Array.isArray(value)) return value.length ? value.map(textOf).join(', ') : '–';
    if (typeof value === 'number') return format.number(value);
    return String(value || '–');
  };
  const names = Object.keys(defaults) as (keyof typeof defaults)[];
  const value = (n: keyof typeof defaults) => {
    if (n === 'acl_rules') return <RuleLines rules={server.acl_rules} />;
    if (n === 'acl_default') return t(`acl.action_${server.acl_default}`);
    return named.includes(n) ? t(`server.${n}_${String(server[n])}`) : show(server[n]);
  };
  return (
    <Card>
      <Facts columns={2} facts={names.map((n) => ({ label: t(`server.${n}`), value: value(n) }))} />
    </Card>
  );
}

function Edit({ server, close }: { server: SSLServer; close: () => void }) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const [form] = Form.useForm<SSLServerSettings>();
  const network = useGateways().data?.items.find((g) => g.id === server.gateway)?.network;
  const prefixes = useNetworks().data?.items.find((n) => n.id === network)?.prefixes;
  const version = useOpened(server.version);
  const change = useChange(
    async (in_: Partial<SSLServerSettings>) => {
      await api.vpn.changeServer(server.id, version, in_);
      close();
    },
    [['server', server.id], ['servers']],
  );
  return (
    <Drawer
      open
      size={narrow ? '100%' : 560}
      title={`${t('common.edit')}: ${server.name}`}
      onClose={close}
      footer={
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button onClick={close}>{t('common.cancel')}</Button>
          <Button type="primary" loading={change.isPending} onClick={() => form.submit()}>
            {t('common.save')}
          </Button>
        </div>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={server}
        onFinish={() => change.mutate(settingsOf(form.getFieldsValue(true) as SSLServer))}
      >
        <p className="quiet">{t('server.edit_note')}</p>
        <MainFields prefixes={prefixes} />
        <AdvancedFields />
        <ProblemAlert error={change.error} />
      </Form>
    </Drawer>
  );
}

/** Only what may be changed; the rest of a server is not sent back. */
export function settingsOf(server: SSLServer): SSLServerSettings {
  const names = ['name', 'local_subnets', 'pool', ...Object.keys(defaults)] as (keyof SSLServerSettings)[];
  return settled(Object.fromEntries(names.map((n) => [n, server[n]])) as unknown as SSLServerSettings);
}

function Danger({ server }: { server: SSLServer }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <section className="danger spread">
      <div>
        <b>{t('server.delete')}</b>
        <div className="quiet">{t('server.delete_text')}</div>
      </div>
      <ConfirmDelete
        typed
        name={server.name}
        label={t('server.delete')}
        loss={t('server.delete_text')}
        remove={() => api.vpn.deleteServer(server.id)}
        stale={[['servers'], ['clients']]}
        done={() => void navigate('/ssl-servers')}
      />
    </section>
  );
}
