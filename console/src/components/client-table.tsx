import { useState } from 'react';
import { Button, Select } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api, type ClientQuery } from '../api';
import type { SSLClient } from '../api/types';
import { nameIn, useServers } from '../lib/catalog';
import { useFormat, useNow } from '../lib/use';
import { NameCell } from './name-cell';
import { ResourceTable, type Column } from './resource-table';
import { StateDot } from './state-dot';

/** What the dot shows: a client whose time is over cannot sign in, whatever its switch says. */
export function stateOf(c: SSLClient, now: number): string {
  const ends = c.expires_at ? Date.parse(c.expires_at) : Number.NaN;
  if (ends > 0 && ends < now) return 'expired';
  const locked = c.locked_until ? Date.parse(c.locked_until) > now : false;
  return locked && c.state === 'enabled' ? 'locked' : c.state;
}

/** The SSL clients, all or of one server. */
export function ClientTable({ server }: { server?: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(60_000);
  const servers = useServers().data?.items;
  const [chosen, setChosen] = useState<ClientQuery>({});
  const query = server ? { ...chosen, server } : chosen;
  const filtered = chosen.state !== undefined || chosen.online !== undefined;
  const columns: Column<SSLClient>[] = [
    {
      key: 'state',
      title: t('common.state'),
      cell: (c) => (
        <div className="stack" style={{ gap: 2 }}>
          <StateDot kind="client" state={stateOf(c, now)} />
          {c.devices_waiting ? (
            <Link to={`/ssl-clients/${c.id}?tab=devices`} className="dot warn">
              <i aria-hidden="true" />
              {t('device.waiting', { count: c.devices_waiting })}
            </Link>
          ) : null}
        </div>
      ),
      text: (c) =>
        [
          t(`state.client.${stateOf(c, now)}`),
          ...(c.devices_waiting ? [t('device.waiting', { count: c.devices_waiting })] : []),
        ].join(' · '),
    },
    {
      key: 'sessions',
      title: t('client.online'),
      cell: (c) =>
        c.sessions > 0 ? (
          <span className="num">
            {t('client.online_yes')} · {format.number(c.sessions)}
          </span>
        ) : (
          '–'
        ),
      text: (c) => (c.sessions > 0 ? t('client.online') : ''),
    },
    {
      key: 'server',
      title: t('client.server'),
      cell: (c) => <Link to={`/ssl-servers/${c.server}`}>{nameIn(servers, c.server)}</Link>,
      text: (c) => nameIn(servers, c.server),
    },
    {
      key: 'fixed',
      title: t('client.fixed_ip'),
      cell: (c) => (c.fixed_ip ? <span className="mono">{c.fixed_ip}</span> : t('client.from_pool')),
      text: (c) => c.fixed_ip,
    },
    {
      key: 'certificate',
      title: t('client.not_after'),
      cell: (c) => <span className="num">{format.date(c.not_after)}</span>,
      text: (c) => c.not_after,
    },
    {
      key: 'created',
      title: t('common.created'),
      cell: (c) => <span className="num">{format.time(c.created_at)}</span>,
      text: (c) => c.created_at,
      hideOnCard: true,
    },
  ];
  const create = (
    <Link to={`/ssl-clients?create=1${server ? `&server=${server}` : ''}`}>
      <Button type="primary">{t('client.create')}</Button>
    </Link>
  );
  return (
    <ResourceTable<SSLClient>
      label={t('nav.clients')}
      queryKey={['clients', 'list', query]}
      load={(page) => api.vpn.clients({ ...page, ...query })}
      filters={<Filters chosen={chosen} choose={setChosen} />}
      rowKey={(c) => c.id}
      nameTitle={t('common.name')}
      nameText={(c) => c.name}
      name={(c) => <NameCell name={c.name} id={c.id} to={`/ssl-clients/${c.id}`} />}
      columns={server ? columns.filter((c) => c.key !== 'server') : columns}
      csv="ssl-clients"
      refresh={() => 30_000}
      empty={
        filtered
          ? {
              title: t('table.no_match'),
              action: <Button onClick={() => setChosen({})}>{t('table.clear')}</Button>,
            }
          : { title: t('client.empty'), text: t('client.empty_text'), action: create }
      }
      actions={(c) => (
        <>
          <Link to={`/ssl-clients/${c.id}`}>{t('common.view')}</Link>
          <a href={api.vpn.bundle(c.id)} download>
            {t('client.download')}
          </a>
        </>
      )}
    />
  );
}

/** By state and by live sessions. The API filters, so that clients of later pages are found too. */
function Filters({ chosen, choose }: { chosen: ClientQuery; choose: (query: ClientQuery) => void }) {
  const { t } = useTranslation();
  const states = ['enabled', 'locked', 'disabled'] as const;
  const answers = ['true', 'false'] as const;
  return (
    <div className="row" style={{ flexWrap: 'wrap' }}>
      <Select
        aria-label={t('common.state')}
        style={{ minWidth: 130 }}
        value={chosen.state ?? ''}
        onChange={(v) => choose({ ...chosen, state: states.find((s) => s === v) })}
        options={[
          { value: '', label: t('client.state_all') },
          ...states.map((v) => ({ value: v, label: t(`state.client.${v}`) })),
        ]}
      />
      <Select
        aria-label={t('client.online')}
        style={{ minWidth: 130 }}
        value={chosen.online ?? ''}
        onChange={(v) => choose({ ...chosen, online: answers.find((s) => s === v) })}
        options={[
          { value: '', label: t('client.online_all') },
          { value: 'true', label: t('client.online_yes') },
          { value: 'false', label: t('client.online_no') },
        ]}
      />
    </div>
  );
}
