import { Steps } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Refund } from '../api/types';
import { useFormat } from '../lib/use';

interface Stage {
  key: string;
  at?: string;
}

/** Whether a refund stops services, and ends them or lets them run again. */
export const ofServices = (r: Pick<Refund, 'rule'>) => r.rule === 'full' || r.rule === 'prorata';

/** How far a refund is, in the order that it happens in, with times. */
export function RefundSteps({ refund: r }: { refund: Refund }) {
  const { t } = useTranslation();
  const format = useFormat();
  const all = stages(r);
  const failed = r.state === 'failed' || r.state === 'rejected';
  const current = all.findIndex((s) => !s.at && !passed(r, s.key));
  return (
    <Steps
      orientation="vertical"
      size="small"
      current={current < 0 ? all.length : current}
      status={failed ? 'error' : r.state === 'unknown' ? 'wait' : 'process'}
      items={all.map((s) => ({
        title: t(`refund.stage_${s.key}`),
        content: s.at ? format.time(s.at, true) : undefined,
      }))}
    />
  );
}

function stages(r: Refund): Stage[] {
  const asked = { key: 'requested', at: r.requested_at };
  const services = ofServices(r);
  if (r.state === 'rejected') return [asked, { key: 'rejected' }];
  if (r.state === 'cancelled')
    return [
      asked,
      { key: 'cancelled', at: r.settled_at },
      ...(services && r.suspended_at ? [{ key: 'resumed', at: r.ended_at }] : []),
    ];
  return [
    asked,
    { key: 'approved' },
    ...(services ? [{ key: 'suspended', at: r.suspended_at }] : []),
    { key: r.target === 'wallet' ? 'in_wallet' : 'paid_back', at: r.settled_at },
    ...(services ? [{ key: 'ended', at: r.ended_at }] : []),
  ];
}

/** A stage without a time of its own is behind a refund that is further. */
const passed = (r: Refund, key: string) =>
  key === 'approved' && r.state !== 'requested' && r.state !== 'review';
