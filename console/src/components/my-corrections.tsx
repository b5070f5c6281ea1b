import { Card, Empty, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { useFormat } from '../lib/use';
import { ErrorState } from './problem';

/** What about the person was corrected, and which recipients were told of it. */
export function MyCorrections() {
  const { t } = useTranslation();
  const format = useFormat();
  const all = useQuery({ queryKey: ['corrections'], queryFn: api.account.corrections });
  if (all.isPending) return <Skeleton active />;
  if (all.isError) return <ErrorState error={all.error} retry={() => void all.refetch()} />;
  if (all.data.items.length === 0)
    return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('correction.none')} />;
  return (
    <div className="stack">
      <p className="muted" style={{ margin: 0 }}>
        {t('correction.lead')}
      </p>
      {all.data.items.map((c) => (
        <Card
          key={c.id}
          size="small"
          title={c.fields
            .map((f) => t(`correction.field_${f.replace('.', '_')}`, { defaultValue: f }))
            .join(', ')}
          extra={<span className="num">{format.time(c.at, true)}</span>}
        >
          {c.recipients.length === 0 ? <span className="muted">{t('correction.nobody')}</span> : null}
          {c.recipients.map((r) => (
            <div key={r.legal_name} className="spread">
              <span>{r.legal_name}</span>
              <span className="muted">
                {r.told_at
                  ? t('correction.told', { at: format.time(r.told_at, true), receipt: r.receipt })
                  : t('correction.due', { at: format.time(r.due_at, true) })}
              </span>
            </div>
          ))}
        </Card>
      ))}
    </div>
  );
}
