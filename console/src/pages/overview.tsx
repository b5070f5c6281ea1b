import type { ReactNode } from 'react';
import { Alert, Button, Card, Steps } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Page } from '../components/page';
import { Traffic } from '../components/traffic';
import { hasSSL, useClients, useGateways, useServers } from '../lib/catalog';
import { useMe } from '../lib/session';
import { useFormat } from '../lib/use';

/** What there is, and what to do next. */
export function Overview() {
  const { t } = useTranslation();
  const me = useMe();
  const gateways = useGateways();
  const servers = useServers();
  const clients = useClients();
  const sessions = useQuery({
    queryKey: ['vpn-sessions', 'live'],
    queryFn: () => api.vpn.sessions({ live: true }),
    refetchInterval: 15_000,
  });
  const live = sessions.data?.items.length;
  const first = gateways.data?.items[0];
  const started = Boolean(clients.data?.items.length);
  const known = gateways.isSuccess && servers.isSuccess && clients.isSuccess;
  return (
    <Page title={t('overview.title', { name: me.user_name })} lead={t('overview.lead')}>
      <Unpaid />
      {known && !started ? (
        <FirstSteps
          without={gateways.data.items.some(hasSSL) ? undefined : first?.id}
          done={{
            verify: me.email_verified,
            buy: Boolean(gateways.data.items.length),
            server: Boolean(servers.data.items.length),
            client: Boolean(clients.data.items.length),
          }}
        />
      ) : null}
      <div className="tiles">
        <Tile to="/vpn-gateways" label={t('nav.gateways')} figure={gateways.data?.items.length} />
        <Tile to="/ssl-servers" label={t('nav.servers')} figure={servers.data?.items.length} />
        <Tile to="/ssl-clients" label={t('nav.clients')} figure={clients.data?.items.length} />
        <Tile to="/vpn-sessions" label={t('overview.live_sessions')} figure={live} />
      </div>
      {first ? <Traffic gateway={first.id} /> : null}
      <PrivacyLine />
    </Page>
  );
}

function Tile({ to, label, figure }: { to: string; label: string; figure?: number }) {
  const format = useFormat();
  return (
    <Link to={to} className="tile">
      <div className="quiet">{label}</div>
      <div className="figure">{figure === undefined ? '–' : format.number(figure)}</div>
    </Link>
  );
}

function Unpaid() {
  const { t } = useTranslation();
  const format = useFormat();
  const orders = useQuery({ queryKey: ['orders', 'all'], queryFn: () => api.shop.orders() });
  const waiting = orders.data?.items.find((o) => o.state === 'pending_payment');
  if (!waiting) return null;
  return (
    <Alert
      type="warning"
      showIcon
      title={t('overview.unpaid', {
        amount: format.money(waiting.total),
        time: format.time(waiting.expires_at),
      })}
      action={
        <Link to={`/orders/${waiting.id}`}>
          <Button type="primary" size="small">
            {t('order.pay')}
          </Button>
        </Link>
      }
    />
  );
}

interface NextStep {
  key: string;
  action?: ReactNode;
}

/**
 * The way from a new account to a connected device; the next step is the most visible thing. without is
 * a gateway that lacks the SSL service: to enable it is a step only then.
 */
function FirstSteps({ done, without }: { done: Record<string, boolean>; without?: string }) {
  const { t } = useTranslation();
  const go = (to: string, label: string) => (
    <Link to={to}>
      <Button type="primary">{label}</Button>
    </Link>
  );
  const steps: NextStep[] = [
    { key: 'verify' },
    { key: 'buy', action: go('/buy', t('nav.buy')) },
    ...(without ? [{ key: 'enable', action: go(`/vpn-gateways/${without}`, t('upgrade.enable')) }] : []),
    { key: 'server', action: go('/ssl-servers/new', t('server.create')) },
    { key: 'client', action: go('/ssl-clients?create=1', t('client.create')) },
  ];
  const at = steps.findIndex((s) => !done[s.key]);
  return (
    <Card title={t('overview.first_title')}>
      <Steps
        orientation="vertical"
        size="small"
        current={at}
        items={steps.map((s, i) => ({
          title: t(`overview.step_${s.key}`),
          status: done[s.key] ? 'finish' : i === at ? 'process' : 'wait',
          content: (
            <div className="stack" style={{ gap: 8, paddingBottom: 8, alignItems: 'flex-start' }}>
              <span>{t(`overview.step_${s.key}_text`)}</span>
              {i === at ? s.action : null}
            </div>
          ),
        }))}
      />
    </Card>
  );
}

function PrivacyLine() {
  const { t } = useTranslation();
  return (
    <p className="small quiet" style={{ margin: 0 }}>
      {t('overview.privacy')} <Link to="/my-data">{t('nav.mydata')}</Link>
    </p>
  );
}
