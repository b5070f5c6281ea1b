import { useState } from 'react';
import { Segmented } from 'antd';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { VPNSession } from '../api/types';
import { nameIn, useClients, useGateways, useServers } from '../lib/catalog';
import { formatSpan } from '../lib/format';
import { useFormat, useNow } from '../lib/use';
import { ConfirmDelete } from './confirm-delete';
import { CopyText } from './copy-text';
import { NameCell } from './name-cell';
import { ResourceTable, type Column } from './resource-table';
import { StateDot } from './state-dot';

interface Of {
  gateway?: string;
  server?: string;
  client?: string;
}

/** VPN sessions, all, of one gateway, SSL server or client; live ones first. */
export function SessionTable({ gateway, server, client }: Of) {
  const { t } = useTranslation();
  const [live, setLive] = useState(true);
  const clients = useClients().data?.items;
  const columns = useColumns(live, Boolean(server));
  return (
    <ResourceTable<VPNSession>
      label={t('session.title')}
      queryKey={['vpn-sessions', 'list', gateway, server, client, live]}
      load={(page) =>
        server
          ? api.vpn.serverSessions(server, { ...page, live: live || undefined })
          : api.vpn.sessions({ ...page, gateway, client, live: live || undefined })
      }
      filter={(s) => Boolean(s.ended_at) !== live}
      filters={
        <Segmented
          aria-label={t('session.which')}
          value={live ? 'live' : 'ended'}
          onChange={(v) => setLive(v === 'live')}
          options={[
            { value: 'live', label: t('session.live') },
            { value: 'ended', label: t('session.ended') },
          ]}
        />
      }
      rowKey={(s) => s.id}
      nameTitle={t('session.client')}
      nameText={(s) => nameIn(clients, s.client)}
      name={(s) => <NameCell name={nameIn(clients, s.client)} id={s.id} to={`/ssl-clients/${s.client}`} />}
      columns={columns}
      csv="vpn-sessions"
      refresh={() => 10_000}
      empty={{ title: t(live ? 'session.none_live' : 'session.empty'), text: t('session.empty_text') }}
      actions={(s) =>
        s.ended_at ? null : (
          <ConfirmDelete
            small
            name={nameIn(clients, s.client)}
            label={t('session.disconnect')}
            loss={t('session.disconnect_text')}
            remove={() => api.vpn.endSession(s.id)}
            stale={[['vpn-sessions']]}
          />
        )
      }
    />
  );
}

function useColumns(live: boolean, oneServer: boolean): Column<VPNSession>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const gateways = useGateways().data?.items;
  const servers = useServers().data?.items;
  const way = (s: VPNSession) => (s.ended_at ? 'closed' : s.transport || 'tls');
  const columns: Column<VPNSession>[] = [
    {
      key: 'state',
      title: t('common.state'),
      cell: (s) => <StateDot kind="session" state={way(s)} />,
      text: (s) => t(`state.session.${way(s)}`),
    },
    {
      key: 'inner',
      title: t('session.inner'),
      cell: (s) =>
        s.inner_ip6 ? (
          <span className="stack" style={{ gap: 0 }}>
            <CopyText text={s.inner_ip} />
            <CopyText text={s.inner_ip6} />
          </span>
        ) : (
          <CopyText text={s.inner_ip} />
        ),
      text: (s) => [s.inner_ip, s.inner_ip6].filter(Boolean).join(' '),
    },
    {
      key: 'source',
      title: t('session.source'),
      cell: (s) => <span className="mono">{s.source_ip || '–'}</span>,
      text: (s) => s.source_ip,
      optional: true,
    },
    {
      key: 'up',
      title: t('traffic.up'),
      align: 'right',
      cell: (s) => <span className="num">{format.bytes(s.bytes_in)}</span>,
      text: (s) => s.bytes_in,
    },
    {
      key: 'down',
      title: t('traffic.down'),
      align: 'right',
      cell: (s) => <span className="num">{format.bytes(s.bytes_out)}</span>,
      text: (s) => s.bytes_out,
    },
    ...(live ? liveColumns(t, format) : []),
    {
      key: 'server',
      title: t('session.server'),
      cell: (s) => nameIn(servers, s.server ?? ''),
      text: (s) => nameIn(servers, s.server ?? ''),
      optional: oneServer,
    },
    {
      key: 'gateway',
      title: t('server.gateway'),
      cell: (s) => nameIn(gateways, s.gateway),
      text: (s) => nameIn(gateways, s.gateway),
      optional: true,
    },
    {
      key: 'start',
      title: t('session.start'),
      cell: (s) => <span className="num">{format.time(s.started_at)}</span>,
      text: (s) => s.started_at,
    },
  ];
  const last: Column<VPNSession> = live
    ? {
        key: 'since',
        title: t('session.since'),
        align: 'right',
        cell: (s) => <Since start={s.started_at} />,
        hideOnCard: true,
      }
    : {
        key: 'reason',
        title: t('session.reason'),
        cell: (s) => t(`session.reason_${s.reason}`, { defaultValue: s.reason || '–' }),
        text: (s) => s.reason,
      };
  return [...columns, last];
}

/** What is known of a session only while it lives. */
function liveColumns(t: TFunction, format: ReturnType<typeof useFormat>): Column<VPNSession>[] {
  return [
    {
      key: 'rate',
      title: t('session.rate'),
      align: 'right',
      cell: (s) => <BothWays up={format.rate(s.rate_in ?? 0)} down={format.rate(s.rate_out ?? 0)} />,
      text: (s) => `${s.rate_in ?? 0} / ${s.rate_out ?? 0}`,
    },
    {
      key: 'packets',
      title: t('session.packets'),
      align: 'right',
      cell: (s) => (
        <BothWays up={format.number(s.packets_in ?? 0)} down={format.number(s.packets_out ?? 0)} />
      ),
      text: (s) => `${s.packets_in ?? 0} / ${s.packets_out ?? 0}`,
    },
    {
      key: 'version',
      title: t('session.version'),
      cell: (s) => s.client_version || '–',
      text: (s) => s.client_version,
    },
  ];
}

function BothWays({ up, down }: { up: string; down: string }) {
  const { t } = useTranslation();
  return (
    <span className="stack num" style={{ gap: 0 }}>
      <span title={t('traffic.up')}>{`↑ ${up}`}</span>
      <span title={t('traffic.down')}>{`↓ ${down}`}</span>
    </span>
  );
}

function Since({ start }: { start: string }) {
  const now = useNow(1000);
  return <span className="num">{formatSpan(now - Date.parse(start))}</span>;
}
