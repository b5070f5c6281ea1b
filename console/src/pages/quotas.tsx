import { Card, Progress, Skeleton, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Limit, Quota } from '../api/types';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { QuotaAsk } from '../components/quota-ask';
import { useRegionName } from '../lib/catalog';
import { useFormat } from '../lib/use';

/** What is used of what may be used, and what every value may be. */
export function Quotas() {
  const { t } = useTranslation();
  const quotas = useQuery({ queryKey: ['quotas'], queryFn: api.vpn.quotas, refetchInterval: 10_000 });
  const limits = useQuery({ queryKey: ['limits'], queryFn: api.vpn.limits, staleTime: 600_000 });
  return (
    <Page title={t('nav.quotas')} lead={t('quota.lead')}>
      <Card title={t('quota.used')}>
        {quotas.isPending ? <Skeleton active /> : null}
        {quotas.isError ? <ErrorState error={quotas.error} retry={() => void quotas.refetch()} /> : null}
        {quotas.data?.items.filter(shown).length === 0 ? (
          <EmptyState title={t('quota.none')} text={t('quota.none_text')} />
        ) : null}
        <div className="stack">
          {quotas.data?.items.filter(shown).map((q) => (
            <Bar key={`${q.name}.${q.region ?? ''}.${q.resource ?? ''}`} quota={q} />
          ))}
        </div>
      </Card>
      <Card title={t('quota.limits')}>
        {limits.isPending ? <Skeleton active /> : null}
        {limits.isError ? <ErrorState error={limits.error} retry={() => void limits.refetch()} /> : null}
        {limits.data ? <Limits limits={limits.data.items} /> : null}
      </Card>
    </Page>
  );
}

/** What is not offered says nothing, unless more of it may be asked for. */
function shown(q: Quota): boolean {
  return q.limit > 0 || q.used > 0 || Boolean(q.settable);
}

function Bar({ quota: q }: { quota: Quota }) {
  const { t } = useTranslation();
  const format = useFormat();
  const region = useRegionName();
  const name = t(`quota.name_${q.name}`, { defaultValue: q.name });
  const whose = q.region ? region(q.region) : (q.label ?? '');
  const share = q.limit > 0 ? Math.min(100, Math.round((100 * q.used) / q.limit)) : 100;
  return (
    <div>
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <span>
          {name} <span className="quiet">{whose}</span>
        </span>
        <span className="row">
          {q.asked ? <Tag>{t('quota.asked', { limit: format.number(q.asked) })}</Tag> : null}
          {q.settable ? <QuotaAsk quota={q} label={`${name} ${whose}`.trim()} /> : null}
          <span className="num">{`${format.number(q.used)} / ${format.number(q.limit)}`}</span>
        </span>
      </div>
      <Progress
        percent={share}
        showInfo={false}
        size="small"
        // One of one is how it is meant to be.
        status={share >= 100 && (q.limit !== 1 || q.used > 1) ? 'exception' : 'normal'}
        aria-label={`${name} ${whose} ${q.used} / ${q.limit}`}
      />
    </div>
  );
}

function Limits({ limits }: { limits: Limit[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const range = (l: Limit) => {
    const span =
      l.low === l.high ? format.number(l.high) : `${format.number(l.low)} – ${format.number(l.high)}`;
    return [
      l.unit ? `${span} ${t(`quota.unit_${l.unit}`, { defaultValue: l.unit })}` : span,
      l.off ? t('quota.off') : '',
    ]
      .filter(Boolean)
      .join(' ');
  };
  return (
    <Facts
      columns={2}
      facts={[...new Set(limits.map((l) => l.name))].map((name) => ({
        label: t(`quota.limit_${name}`, { defaultValue: name }),
        value: limits
          .filter((l) => l.name === name)
          .map(range)
          .join(', '),
      }))}
    />
  );
}
