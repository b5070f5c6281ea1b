// What an SSL client may use: its rates, and its allowances with what is used of them.

import { Button, Card, Form, InputNumber, Modal, Progress } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { SSLClient } from '../api/types';
import { useChange, useFormat, useOpened, useToggle } from '../lib/use';
import { Facts } from './facts';
import { ProblemAlert } from './problem';

const gigabyte = 1e9;
const highest = 1e6; // in GB, below what the API takes

export function ClientLimits({ client: c }: { client: SSLClient }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [editing, edit, stop] = useToggle();
  const usage = useQuery({
    queryKey: ['client', c.id, 'usage'],
    queryFn: () => api.vpn.clientUsage(c.id),
    refetchInterval: 10_000,
  });
  const rate = (kbps: number) => (kbps ? format.rate((kbps * 1000) / 8) : t('limit.gateway'));
  const u = usage.data;
  return (
    <Card>
      <div className="stack">
        <Facts
          columns={2}
          facts={[
            { label: t('limit.up'), value: rate(c.up_kbps) },
            { label: t('limit.down'), value: rate(c.down_kbps) },
          ]}
        />
        <Allowance
          name={t('limit.day')}
          used={u?.day_bytes}
          quota={c.daily_quota_bytes}
          ends={u?.day_ends_at}
        />
        <Allowance
          name={t('limit.month')}
          used={u?.month_bytes}
          quota={c.monthly_quota_bytes}
          ends={u?.month_ends_at}
        />
        <ProblemAlert error={usage.error} />
        <div>
          <Button onClick={edit}>{t('limit.edit')}</Button>
        </div>
      </div>
      {editing ? <Edit client={c} close={stop} /> : null}
    </Card>
  );
}

interface AllowanceProps {
  name: string;
  used?: number;
  quota: number;
  ends?: string;
}

/** Used of an allowance, as a bar; without an allowance only the number. */
function Allowance({ name, used, quota, ends }: AllowanceProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const share = quota ? Math.min(100, ((used ?? 0) / quota) * 100) : 0;
  const text = quota
    ? t('limit.used_of', { used: format.bytes(used), quota: format.bytes(quota) })
    : t('limit.used', { used: format.bytes(used) });
  return (
    <div>
      <div className="spread">
        <span>{name}</span>
        <span className="num">{text}</span>
      </div>
      {quota ? (
        <Progress
          percent={share}
          showInfo={false}
          status={share >= 100 ? 'exception' : 'normal'}
          aria-label={`${name}: ${text}`}
        />
      ) : null}
      {quota && share >= 100 ? (
        <div className="quiet">{t('limit.until', { time: format.time(ends) })}</div>
      ) : null}
    </div>
  );
}

interface Entered {
  up?: number | null;
  down?: number | null;
  day?: number | null;
  month?: number | null;
}

function Edit({ client: c, close }: { client: SSLClient; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Entered>();
  const version = useOpened(c.version);
  const change = useChange(
    async (e: Entered) => {
      await api.vpn.changeClient(c.id, version, {
        up_kbps: Math.round((e.up ?? 0) * 1000),
        down_kbps: Math.round((e.down ?? 0) * 1000),
        daily_quota_bytes: Math.round((e.day ?? 0) * gigabyte),
        monthly_quota_bytes: Math.round((e.month ?? 0) * gigabyte),
      });
      close();
    },
    [['client', c.id], ['clients'], ['vpn-sessions']],
  );
  const number = (name: keyof Entered, label: string, unit: string, max: number) => (
    <Form.Item name={name} label={label}>
      <InputNumber min={0} max={max} suffix={unit} style={{ width: '100%' }} placeholder={t('limit.none')} />
    </Form.Item>
  );
  return (
    <Modal
      open
      title={`${t('limit.edit')}: ${c.name}`}
      onCancel={close}
      okText={t('common.save')}
      cancelText={t('common.cancel')}
      confirmLoading={change.isPending}
      onOk={() => form.submit()}
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={{
          up: c.up_kbps / 1000 || null,
          down: c.down_kbps / 1000 || null,
          day: c.daily_quota_bytes / gigabyte || null,
          month: c.monthly_quota_bytes / gigabyte || null,
        }}
        onFinish={(e: Entered) => change.mutate(e)}
      >
        <p className="quiet">{t('limit.note')}</p>
        {number('up', t('limit.up'), 'Mbps', 1000)}
        {number('down', t('limit.down'), 'Mbps', 1000)}
        {number('day', t('limit.daily_quota'), 'GB', highest)}
        {number('month', t('limit.monthly_quota'), 'GB', highest)}
        <ProblemAlert error={change.error} />
      </Form>
    </Modal>
  );
}
