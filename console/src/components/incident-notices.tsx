import { Alert, Button, Card } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import type { OwnIncidentNotice } from '../api/types';
import { useRights } from '../lib/rights';
import { useChange, useFormat } from '../lib/use';
import { EmptyState, ErrorState } from './problem';

function useIncidentNotices() {
  const rights = useRights();
  return useQuery({
    queryKey: ['incident-notices'],
    queryFn: () => rights.incidentNotices(),
    refetchInterval: 300_000,
    retry: false,
  });
}

/** A notice of an incident that the person has not read yet stands above every page. */
export function IncidentBanner() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const notices = useIncidentNotices();
  const unread = notices.data?.items.find((n) => !n.seen_at);
  if (!unread) return null;
  return (
    <Alert
      type="error"
      showIcon
      style={{ marginBottom: 16 }}
      title={t('incident.banner')}
      description={unread.title}
      action={
        <Button size="small" danger onClick={() => void navigate('/my-data?tab=incidents')}>
          {t('incident.read')}
        </Button>
      }
    />
  );
}

/** The notices of incidents that a person got, whole. */
export function IncidentNotices() {
  const { t } = useTranslation();
  const notices = useIncidentNotices();
  if (notices.isError) return <ErrorState error={notices.error} retry={() => void notices.refetch()} />;
  const items = notices.data?.items ?? [];
  if (items.length === 0) return <EmptyState title={t('incident.no_notices')} />;
  return (
    <div className="stack">
      {items.map((n) => (
        <One key={n.id} notice={n} />
      ))}
    </div>
  );
}

function One({ notice }: { notice: OwnIncidentNotice }) {
  const { t } = useTranslation();
  const format = useFormat();
  const rights = useRights();
  const seen = useChange(() => rights.sawIncidentNotice(notice.id), [['incident-notices']]);
  return (
    <Card title={notice.title} extra={<span className="num quiet">{format.time(notice.at)}</span>}>
      <div style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxWidth: 760 }}>{notice.text}</div>
      <div style={{ marginTop: 16 }}>
        {notice.seen_at ? (
          <span className="quiet">{t('incident.seen_at', { at: format.time(notice.seen_at) })}</span>
        ) : (
          <Button type="primary" loading={seen.isPending} onClick={() => seen.mutate(undefined)}>
            {t('incident.seen')}
          </Button>
        )}
      </div>
    </Card>
  );
}
