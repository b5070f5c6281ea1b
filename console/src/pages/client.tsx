import { useState } from 'react';
import { Button, Card, Popconfirm, Select, Skeleton, Switch, Tabs } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ClientSecret, SSLClient, SSLServer, TokenInvitation, ResetReason } from '../api/types';
import { BundleLink } from '../components/bundle-link';
import { ConnectLink } from '../components/connect-link';
import { ClientLimits } from '../components/client-limits';
import { ClientAddresses } from '../components/client-addresses';
import { stateOf } from '../components/client-table';
import { ClientCertificates } from '../components/client-certificates';
import { ClientDevices } from '../components/client-devices';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { DescriptionText } from '../components/description';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { RecoveryCodes } from '../components/recovery-codes';
import { ResetDialog } from '../components/reset-dialog';
import { SecretDialog } from '../components/secret-dialog';
import { SessionTable } from '../components/session-table';
import { StateDot } from '../components/state-dot';
import { command } from '../lib/connect';
import { useChange, useFormat, useNow } from '../lib/use';

export function ClientPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const [params] = useSearchParams();
  const client = useQuery({ queryKey: ['client', id], queryFn: () => api.vpn.client(id) });
  const server = useQuery({
    queryKey: ['server', client.data?.server],
    queryFn: () => api.vpn.server(client.data?.server ?? ''),
    enabled: client.isSuccess,
  });
  if (client.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (client.isError) return <ErrorState error={client.error} retry={() => void client.refetch()} />;
  const c = client.data;
  return (
    <Page
      title={c.name}
      trail={[{ title: t('nav.clients'), to: '/ssl-clients' }]}
      action={
        <Button type="primary" icon={<DownloadOutlined />} href={api.vpn.bundle(c.id)} download>
          {t('client.download_bundle')}
        </Button>
      }
    >
      <Card>
        <About client={c} server={server.data} />
      </Card>
      <Acts client={c} server={server.data} />
      <Locks client={c} />
      {server.data?.groups.length ? <Groups client={c} server={server.data} /> : null}
      <Tabs
        defaultActiveKey={params.get('tab') ?? 'connect'}
        items={[
          {
            key: 'connect',
            label: t('client.how_to_connect'),
            children: (
              <div className="stack">
                <HowTo client={c} server={server.data} />
                <BundleLink client={c} />
                <ConnectLink client={c} />
              </div>
            ),
          },
          { key: 'limits', label: t('limit.title'), children: <ClientLimits client={c} /> },
          {
            key: 'certificates',
            label: t('nav.certificates'),
            children: <ClientCertificates client={c} />,
          },
          {
            key: 'devices',
            label: <DevicesLabel waiting={c.devices_waiting} />,
            children: <ClientDevices client={c} />,
          },
          { key: 'sessions', label: t('session.title'), children: <SessionTable client={c.id} /> },
        ]}
      />
      <Danger client={c} />
    </Page>
  );
}

function DevicesLabel({ waiting }: { waiting: number }) {
  const { t } = useTranslation();
  if (!waiting) return <>{t('device.title')}</>;
  return (
    <span className="dot warn">
      <i aria-hidden="true" />
      {t('device.title')} · {t('device.waiting', { count: waiting })}
    </span>
  );
}

function About({ client: c, server }: { client: SSLClient; server?: SSLServer }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const format = useFormat();
  const describe = useChange(
    (description: string) => api.vpn.changeClient(c.id, c.version, { description }),
    [['client', c.id], ['clients']],
  );
  return (
    <Facts
      columns={2}
      facts={[
        { label: t('common.description'), value: <DescriptionText text={c.description} change={describe} /> },
        { label: t('common.state'), value: <StateDot kind="client" state={stateOf(c, now)} /> },
        {
          label: t('client.server'),
          value: <Link to={`/ssl-servers/${c.server}`}>{server?.name ?? c.server}</Link>,
        },
        {
          label: t('client.fixed_ip'),
          value: <Addresses all={[c.fixed_ip, c.fixed_ip6]} none={t('client.from_pool')} />,
        },
        {
          label: t('client.routes'),
          value: <Addresses all={c.routes} none={t('client.no_routes')} />,
        },
        {
          label: t('client.second_factor'),
          value: c.two_factor ? t(`client.token_${c.token_kind}`) : t('common.no'),
        },
        ...(c.two_factor
          ? [{ label: t('client.recovery_left'), value: format.number(c.recovery_left) }]
          : []),
        { label: t('client.serial'), value: <CopyText text={c.serial} /> },
        { label: t('client.not_after'), value: format.date(c.not_after) },
        { label: t('client.expires'), value: c.expires_at ? format.time(c.expires_at) : t('client.never') },
        { label: t('client.id'), value: <CopyText text={c.id} /> },
      ]}
    />
  );
}

function Addresses({ all, none }: { all: string[]; none: string }) {
  const given = all.filter(Boolean);
  return given.length > 0 ? <span className="mono">{given.join(', ')}</span> : <>{none}</>;
}

function Acts({ client: c, server }: { client: SSLClient; server?: SSLServer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [secret, setSecret] = useState<ClientSecret>();
  const stale = [['client', c.id], ['clients'], ['vpn-sessions']];
  const show = useChange(async () => setSecret(await api.vpn.secret(c.id)));
  const reset = useChange(async (why: ResetReason) => {
    await api.vpn.resetPassword(c.id, why);
    setSecret(await api.vpn.secret(c.id));
  }, stale);
  const reseed = useChange(async (why: ResetReason) => {
    await api.vpn.resetToken(c.id, why);
    setSecret(await api.vpn.secret(c.id));
  }, stale);
  const [codes, setCodes] = useState<string[]>();
  const recover = useChange(async () => setCodes((await api.vpn.recoveryCodes(c.id)).recovery_codes), stale);
  const [link, setLink] = useState<TokenInvitation>();
  const invite = useChange(async () => setLink(await api.vpn.inviteToken(c.id)));
  const cut = useChange(() => api.vpn.disconnectClient(c.id), stale);
  const toggle = useChange(
    (on: boolean) => api.vpn.changeClient(c.id, c.version, { state: on ? 'enabled' : 'disabled' }),
    stale,
  );
  return (
    <Card size="small">
      <div className="row" style={{ gap: 12 }}>
        <Button loading={show.isPending} onClick={() => show.mutate(undefined)}>
          {t('client.show_secret')}
        </Button>
        <ResetDialog
          label={t('client.reset')}
          text={t('client.reset_confirm')}
          busy={reset.isPending}
          submit={reset.mutate}
        />
        {c.two_factor ? (
          <ResetDialog
            label={t('client.reseed')}
            text={t('client.reseed_confirm')}
            busy={reseed.isPending}
            submit={reseed.mutate}
          />
        ) : null}
        {server?.two_factor && !c.two_factor_exempt ? (
          <Popconfirm title={t('client.invite_confirm')} onConfirm={() => invite.mutate(undefined)}>
            <Button loading={invite.isPending}>{t('client.invite')}</Button>
          </Popconfirm>
        ) : null}
        {c.two_factor ? (
          <Popconfirm title={t('client.recovery_confirm')} onConfirm={() => recover.mutate(undefined)}>
            <Button loading={recover.isPending}>{t('client.recovery')}</Button>
          </Popconfirm>
        ) : null}
        <Popconfirm title={t('client.disconnect_confirm')} onConfirm={() => cut.mutate(undefined)}>
          <Button loading={cut.isPending}>{t('client.disconnect')}</Button>
        </Popconfirm>
        <ClientAddresses client={c} server={server} />
        <span className="row">
          <Popconfirm
            title={t('client.disable_confirm')}
            disabled={c.state !== 'enabled'}
            onConfirm={() => toggle.mutate(false)}
          >
            <Switch
              aria-label={t('client.may_sign_in')}
              checked={c.state === 'enabled'}
              loading={toggle.isPending}
              onChange={(on) => (on ? toggle.mutate(true) : undefined)}
            />
          </Popconfirm>
          {t('client.may_sign_in')}
        </span>
      </div>
      {[show, reset, reseed, invite, recover, cut, toggle].map((act, i) => (
        // The acts stay in their order.
        // oxlint-disable-next-line react/no-array-index-key
        <ProblemAlert key={i} error={act.error} />
      ))}
      {secret ? (
        <SecretDialog secret={secret} coded={c.two_factor} close={() => setSecret(undefined)} />
      ) : null}
      {link ? (
        <div className="stack" style={{ marginTop: 12 }}>
          <span>{t('client.invite_text', { time: format.time(link.until) })}</span>
          <CopyText text={new URL(link.url, window.location.origin).href} wrap />
        </div>
      ) : null}
      {codes ? (
        <div style={{ marginTop: 12 }}>
          <RecoveryCodes title={t('client.recovery_title')} codes={codes} />
        </div>
      ) : null}
    </Card>
  );
}

/** Where the client is locked, asked for only when wanted: each reading is recorded. */
function Locks({ client: c }: { client: SSLClient }) {
  const { t } = useTranslation();
  const format = useFormat();
  const locks = useQuery({
    queryKey: ['client-locks', c.id],
    queryFn: () => api.vpn.locks(c.id),
    enabled: false,
  });
  const lift = useChange(async () => {
    await api.vpn.unlock(c.id);
    await locks.refetch();
  }, [['clients'], ['client', c.id]]);
  const items = locks.data?.items;
  return (
    <Card size="small" title={t('client.locks')}>
      <div className="stack">
        <span className="quiet">{t('client.locks_extra')}</span>
        {items?.length === 0 ? <span>{t('client.locks_none')}</span> : null}
        {items?.map((l) => (
          <span key={l.source}>
            <span className="mono">{l.source}</span>{' '}
            <span className="quiet">{t('client.locked_until', { time: format.time(l.until) })}</span>
            {l.banned_until ? ` · ${t('client.banned', { time: format.time(l.banned_until) })}` : null}
          </span>
        ))}
        <div className="row" style={{ gap: 12 }}>
          <Button loading={locks.isFetching} onClick={() => void locks.refetch()}>
            {t('client.locks_show')}
          </Button>
          <Button loading={lift.isPending} onClick={() => lift.mutate(undefined)}>
            {t('client.unlock')}
          </Button>
        </div>
        {lift.isSuccess ? <output>{t('client.unlocked')}</output> : null}
        <ProblemAlert error={locks.error ?? lift.error} />
      </div>
    </Card>
  );
}

/** Which of the server's groups the client may sign in to; saved as it is chosen. */
function Groups({ client: c, server }: { client: SSLClient; server: SSLServer }) {
  const { t } = useTranslation();
  const change = useChange(
    (groups: string[]) => api.vpn.changeClient(c.id, c.version, { groups }),
    [['client', c.id], ['clients']],
  );
  return (
    <Card size="small" title={t('client.groups')}>
      <Select
        mode="multiple"
        style={{ width: '100%' }}
        aria-label={t('client.groups')}
        placeholder={t('client.groups_none')}
        value={c.groups}
        loading={change.isPending}
        disabled={change.isPending}
        options={server.groups.map((g) => ({ value: g.name, label: g.label ?? g.name }))}
        onChange={(v) => change.mutate(v)}
      />
      <p className="quiet" style={{ margin: '8px 0 0' }}>
        {t('client.groups_extra')}
      </p>
      <ProblemAlert error={change.error} />
    </Card>
  );
}

function HowTo({ client, server }: { client: SSLClient; server?: SSLServer }) {
  const { t } = useTranslation();
  const gateway = useQuery({
    queryKey: ['gateway', client.gateway],
    queryFn: () => api.vpn.gateway(client.gateway),
  });
  if (!server || gateway.isPending) return <Skeleton active />;
  const line = command(client, server, gateway.data?.addresses[0]);
  return (
    <Card>
      <ol style={{ paddingLeft: 20, margin: 0 }} className="stack">
        <li>
          {t('connect.step_bundle')}{' '}
          <a href={api.vpn.bundle(client.id)} download>
            {t('client.download_bundle')}
          </a>
        </li>
        <li>{t('connect.step_secret')}</li>
        <li>
          {t('connect.step_command')}
          <div className="itemcard" style={{ marginTop: 8 }}>
            <CopyText text={line} wrap />
          </div>
        </li>
        <li>{t('connect.step_others', { host: server.server_names[0] ?? '' })}</li>
      </ol>
    </Card>
  );
}

function Danger({ client }: { client: SSLClient }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <section className="danger spread">
      <div>
        <b>{t('client.delete')}</b>
        <div className="quiet">{t('client.delete_text')}</div>
      </div>
      <ConfirmDelete
        typed
        name={client.name}
        label={t('client.delete')}
        loss={t('client.delete_text')}
        remove={() => api.vpn.deleteClient(client.id)}
        stale={[['clients'], ['vpn-sessions']]}
        done={() => void navigate('/ssl-clients')}
      />
    </section>
  );
}
