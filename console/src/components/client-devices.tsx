// Devices of an SSL client: whether they need approval, which have asked, and what was said of each.

import { Button, Popconfirm, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ClientDevice, SSLClient } from '../api/types';
import { useChange, useFormat } from '../lib/use';
import { NameCell } from './name-cell';
import { ProblemAlert } from './problem';
import { ResourceTable, type Column } from './resource-table';
import { StateDot } from './state-dot';

export function ClientDevices({ client: c }: { client: SSLClient }) {
  const { t } = useTranslation();
  const format = useFormat();
  const toggle = useChange(
    (on: boolean) => api.vpn.changeClient(c.id, c.version, { device_approval: on }),
    [['client', c.id], ['clients']],
  );
  const columns: Column<ClientDevice>[] = [
    {
      key: 'state',
      title: t('common.state'),
      cell: (d) => <StateDot kind="device" state={d.state} />,
      text: (d) => t(`state.device.${d.state}`),
    },
    {
      key: 'known',
      title: t('device.known_by'),
      cell: (d) => <span style={{ overflowWrap: 'anywhere' }}>{t(`device.by_${d.known_by}`)}</span>,
      text: (d) => t(`device.by_${d.known_by}`),
    },
    {
      key: 'first',
      title: t('device.first'),
      cell: (d) => <span className="num">{format.time(d.created_at)}</span>,
      text: (d) => d.created_at,
    },
    {
      key: 'last',
      title: t('device.last'),
      cell: (d) => <span className="num">{format.time(d.seen_at)}</span>,
      text: (d) => d.seen_at,
    },
  ];
  return (
    <div className="stack">
      <span className="row">
        <Switch
          aria-label={t('device.approval')}
          checked={c.device_approval}
          loading={toggle.isPending}
          onChange={(on) => toggle.mutate(on)}
        />
        {t('device.approval')}
      </span>
      <p className="quiet">{t('device.lead')}</p>
      <ProblemAlert error={toggle.error} />
      <ResourceTable<ClientDevice>
        label={t('device.title')}
        queryKey={['client-devices', c.id]}
        load={() => api.vpn.devices(c.id)}
        rowKey={(d) => d.id}
        nameTitle={t('device.label')}
        nameText={(d) => d.label}
        name={(d) => <NameCell name={d.label || t('device.unnamed')} id={d.id} />}
        columns={columns}
        csv="devices"
        empty={{ title: t(c.device_approval ? 'device.none' : 'device.off') }}
        actions={(d) => <Acts client={c} device={d} />}
      />
    </div>
  );
}

function Acts({ client: c, device: d }: { client: SSLClient; device: ClientDevice }) {
  const { t } = useTranslation();
  const stale = [['client-devices', c.id], ['client', c.id], ['clients'], ['vpn-sessions']];
  const approve = useChange(() => api.vpn.approveDevice(c.id, d.id), stale);
  const refuse = useChange(() => api.vpn.refuseDevice(c.id, d.id), stale);
  const forget = useChange(() => api.vpn.forgetDevice(c.id, d.id), stale);
  return (
    <>
      {d.state === 'approved' ? null : (
        <Button
          size="small"
          type="primary"
          loading={approve.isPending}
          onClick={() => approve.mutate(undefined)}
        >
          {t('device.approve')}
        </Button>
      )}
      {d.state === 'refused' ? null : (
        <Popconfirm title={t('device.refuse_confirm')} onConfirm={() => refuse.mutate(undefined)}>
          <Button size="small" danger loading={refuse.isPending}>
            {t('device.refuse')}
          </Button>
        </Popconfirm>
      )}
      <Popconfirm title={t('device.forget_confirm')} onConfirm={() => forget.mutate(undefined)}>
        <Button size="small" loading={forget.isPending}>
          {t('device.forget')}
        </Button>
      </Popconfirm>
      <ProblemAlert error={approve.error ?? refuse.error ?? forget.error} />
    </>
  );
}
