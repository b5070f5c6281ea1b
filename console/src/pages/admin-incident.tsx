import { Alert, Button, Card, Popconfirm, Select, Skeleton, Tabs } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { IncidentFile } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { ClockLine } from '../components/incident-clock';
import { NoticeEditor, NoticeList, Waiver } from '../components/incident-notice';
import { Reports } from '../components/incident-report';
import { Tasks } from '../components/incident-tasks';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

/** One incident: its limits first, then what is done about each. */
export function AdminIncident() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const incident = useQuery({
    queryKey: ['admin', 'incidents', id],
    queryFn: () => api.incident.one(id),
    refetchInterval: (q) => (q.state.data?.closed_at ? false : 10_000),
  });
  if (incident.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (incident.isError) return <ErrorState error={incident.error} retry={() => void incident.refetch()} />;
  const i = incident.data;
  return (
    <Page
      title={`${t(`incident.kind_${i.kind}`)} · ${t(`incident.grade_${i.grade}`)}`}
      trail={[{ title: t('nav.admin_incidents'), to: '/admin/incidents' }]}
      action={<Acts incident={i} />}
    >
      {i.announce_owed && !i.notices.some((n) => n.announced) ? (
        <Alert type="error" showIcon title={t('incident.announce_owed')} />
      ) : null}
      <Summary incident={i} />
      <Card title={t('incident.clocks')}>
        <div className="stack">
          {i.clocks.map((c) => (
            <ClockLine key={c.rule} clock={c} />
          ))}
        </div>
      </Card>
      <Tabs
        items={[
          {
            key: 'notice',
            label: t('incident.notice'),
            children: (
              <div className="stack">
                <NoticeList incident={i} />
                <NoticeEditor key={i.notices.length} incident={i} />
                <Waiver incident={i} />
              </div>
            ),
          },
          {
            key: 'tasks',
            label: `${t('incident.tasks')} (${i.open_tasks})`,
            children: <Tasks incident={i} />,
          },
          { key: 'report', label: t('incident.report'), children: <Reports incident={i} /> },
          { key: 'journal', label: t('incident.journal'), children: <Journal incident={i} /> },
        ]}
      />
    </Page>
  );
}

function Summary({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card>
      <Facts
        columns={2}
        facts={[
          { label: t('common.state'), value: <StateDot kind="incident" state={i.state} /> },
          {
            label: t('incident.people'),
            value: (
              <span className="num">{i.counted_at ? format.number(i.people) : t('incident.counting')}</span>
            ),
          },
          { label: t('incident.discovered_at'), value: <span className="num">{format.time(i.t0)}</span> },
          { label: t('incident.detected_by'), value: t(`incident.by_${i.detected_by}`) },
          {
            label: t('incident.scope'),
            value:
              i.scope.map((q) => t(`incident.scope_${q.kind}`)).join('; ') || t('incident.scope_everyone'),
          },
          {
            label: t('incident.channels'),
            value: i.channels.map((c) => t(`incident.channel_${c}`)).join(', '),
          },
          { label: t('incident.incident'), value: <CopyText text={i.id} shown={short(i.id)} /> },
        ]}
      />
    </Card>
  );
}

const grades = ['ordinary', 'large', 'major', 'extreme'] as const;

function Acts({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const me = useMe();
  const stale = [['admin', 'incidents']];
  const raise = useChange((g: 'large' | 'major' | 'extreme') => api.incident.raise(i.id, g), stale);
  const handled = useChange(() => api.incident.handled(i.id), stale);
  const close = useChange(() => api.incident.close(i.id), stale);
  if (!can(me, 'incident.handle') || i.closed_at) return null;
  const above = grades.slice(grades.indexOf(i.grade) + 1);
  return (
    <>
      {above.length > 0 ? (
        <Select
          aria-label={t('incident.raise')}
          placeholder={t('incident.raise')}
          value={null}
          style={{ minWidth: 140 }}
          options={above.map((g) => ({ value: g, label: t(`incident.grade_${g}`) }))}
          onChange={(g: 'large' | 'major' | 'extreme' | null) => {
            if (g) raise.mutate(g);
          }}
        />
      ) : null}
      {i.handled_at ? (
        <Button loading={close.isPending} onClick={() => close.mutate(undefined)}>
          {t('incident.close')}
        </Button>
      ) : (
        <Popconfirm
          title={t('incident.handled_text')}
          okText={t('incident.handled')}
          cancelText={t('common.cancel')}
          onConfirm={() => handled.mutate(undefined)}
        >
          <Button loading={handled.isPending}>{t('incident.handled')}</Button>
        </Popconfirm>
      )}
      <ProblemAlert error={raise.error ?? handled.error ?? close.error} />
    </>
  );
}

function Journal({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ol className="stack" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
      {i.steps.toReversed().map((s, n) => (
        <li key={`${s.at}.${s.step}.${n}`} className="spread" style={{ flexWrap: 'wrap', gap: 8 }}>
          <div style={{ minWidth: 0 }}>
            <span style={{ fontWeight: 500 }}>{t(`incident.step_${s.step}`, { defaultValue: s.step })}</span>{' '}
            <span className="small quiet" style={{ overflowWrap: 'anywhere' }}>
              {Object.entries(s.detail)
                .filter(([k]) => k !== 'sha256' && k !== 'notice')
                .map(([, v]) => v)
                .join(' · ')}
            </span>
          </div>
          <span className="small quiet num">
            {s.staff ? short(s.staff) : t('incident.system')} · {format.time(s.at, true)}
          </span>
        </li>
      ))}
    </ol>
  );
}
