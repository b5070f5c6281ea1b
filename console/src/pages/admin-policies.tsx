// Documents: what is published, what this build would publish, what stands against it, and the publication.

import { useState } from 'react';
import { Alert, Button, Card, Checkbox, Empty, Form, Input, Modal, Radio, Skeleton, Tabs, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { PolicyDraft, PolicyLine, PolicyPreview, PolicyProblem, StaffPolicy } from '../api/types';
import { CopyText } from '../components/copy-text';
import { PolicyHTML } from '../components/html';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { EmptyState, ErrorState, ProblemAlert } from '../components/problem';
import { can, useMe } from '../lib/session';
import { useSettings } from '../lib/settings';
import { useChange, useFormat, useToggle } from '../lib/use';

const stale = [['admin', 'policies'], ['policies']];

/** The people who read a text have seven days before it holds; one more lets the preview be read. */
const noticeDays = 8;

export function AdminPolicies() {
  const { t } = useTranslation();
  const { language } = useSettings();
  const [query, setQuery] = useSearchParams();
  const all = useQuery({
    queryKey: ['admin', 'policies', language],
    queryFn: () => api.admin.policies(),
  });
  const versions = all.data?.items ?? [];
  const newest = versions.filter((v, i) => versions.findIndex((o) => o.document === v.document) === i);
  const document = query.get('document') ?? newest[0]?.document ?? '';
  const mine = versions.filter((v) => v.document === document);
  return (
    <Page title={t('nav.admin_policies')} lead={t('policies.lead')}>
      {all.isPending ? <Skeleton active /> : null}
      {all.isError ? <ErrorState error={all.error} retry={() => void all.refetch()} /> : null}
      {all.data && newest.length === 0 ? <EmptyState title={t('policy.none')} /> : null}
      {newest.length > 0 ? (
        <nav className="tiles" aria-label={t('policies.documents')}>
          {newest.map((v) => (
            <button
              key={v.document}
              type="button"
              className={v.document === document ? 'tile pick picked' : 'tile pick'}
              aria-pressed={v.document === document}
              onClick={() => setQuery({ document: v.document }, { replace: true })}
            >
              <b>{v.title}</b>
              <div className="row small quiet">
                {t('policy.version', { version: v.version })}
                {v.drift ? <Tag color="gold">{t('policies.drift')}</Tag> : null}
              </div>
            </button>
          ))}
        </nav>
      ) : null}
      {mine[0] ? (
        <>
          <Draft key={document} newest={mine[0]} />
          <History versions={mine} />
        </>
      ) : null}
    </Page>
  );
}

/** YYYY-MM-DD in Beijing, days from now. */
export function dayAhead(days: number, now = Date.now()): string {
  return new Date(now + (days * 24 + 8) * 3_600_000).toISOString().slice(0, 10);
}

/** A version holds from the beginning of a day in Beijing. */
export function toDraft(document: string, major: boolean, day: string): Omit<PolicyDraft, 'sha256'> {
  return {
    document: document as PolicyDraft['document'],
    major,
    effective_at: new Date(`${day}T00:00:00+08:00`).toISOString(),
  };
}

/** What would be published today with the chosen change and day. */
function Draft({ newest }: { newest: StaffPolicy }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const [major, setMajor] = useState(false);
  const [day, setDay] = useState(() => dayAhead(noticeDays));
  const [asking, ask, hide] = useToggle();
  const publishes = can(useMe(), 'consent.publish');
  const draft = toDraft(newest.document, major, day || dayAhead(noticeDays));
  const preview = useQuery({
    queryKey: ['admin', 'policies', newest.document, 'draft', major, draft.effective_at, language],
    queryFn: () => api.admin.previewPolicy(draft),
    retry: false,
  });
  const p = preview.data;
  const refused = !p || p.problems.length > 0 || (p.unchanged && !major);
  return (
    <Card title={t('policies.draft')}>
      <div className="stack">
        <Form layout="vertical" requiredMark={false} component="div">
          <div className="row" style={{ flexWrap: 'wrap', alignItems: 'flex-start', gap: 24 }}>
            <Form.Item label={t('policies.change')} style={{ marginBottom: 0 }}>
              <Radio.Group value={major} onChange={(e) => setMajor(e.target.value === true)}>
                <Radio value={false}>{t('policies.minor')}</Radio>
                <Radio value={true} disabled={p?.asked === false}>
                  {t('policies.major')}
                </Radio>
              </Radio.Group>
              <div className="small quiet">{major ? t('policies.major_text') : t('policies.minor_text')}</div>
            </Form.Item>
            <Form.Item
              label={t('policies.effective')}
              htmlFor="policy-day"
              extra={t('policies.effective_text')}
              style={{ marginBottom: 0 }}
            >
              <Input id="policy-day" type="date" value={day} onChange={(e) => setDay(e.target.value)} />
            </Form.Item>
          </div>
        </Form>
        {preview.isPending ? <Skeleton active /> : null}
        <ProblemAlert error={preview.error} />
        {p ? (
          <>
            <Findings preview={p} major={major} />
            <Text preview={p} />
            {publishes ? (
              <div>
                <Button type="primary" disabled={refused} onClick={ask}>
                  {t('policies.publish', { version: p.version })}
                </Button>
              </div>
            ) : (
              <p className="quiet" style={{ margin: 0 }}>
                {t('policies.may_not')}
              </p>
            )}
            {asking ? <Confirm draft={draft} preview={p} close={hide} /> : null}
          </>
        ) : null}
      </div>
    </Card>
  );
}

/** What stands against the publication, each with its clause. */
function Findings({ preview: p, major }: { preview: PolicyPreview; major: boolean }) {
  const { t } = useTranslation();
  if (p.unchanged && !major && p.problems.length === 0)
    return <Alert type="info" showIcon title={t('policies.unchanged', { version: p.replaces })} />;
  if (p.problems.length === 0) return <Alert type="success" showIcon title={t('policies.clean')} />;
  return (
    <Alert
      type="error"
      showIcon
      title={t('policies.refused', { count: p.problems.length })}
      description={
        <ul className="findings">
          {p.problems.map((one) => (
            <Finding key={`${one.clause} ${one.what}`} one={one} />
          ))}
        </ul>
      }
    />
  );
}

function Finding({ one }: { one: PolicyProblem }) {
  const { t } = useTranslation();
  return (
    <li>
      {one.clause ? <span className="mono">{one.clause} </span> : null}
      {one.what}
      {one.promise ? <span className="quiet"> · {t('policies.promise')}</span> : null}
    </li>
  );
}

function Text({ preview: p }: { preview: PolicyPreview }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const changed = p.lines.filter((l) => l.kind !== 'same').length;
  return (
    <Tabs
      items={[
        {
          key: 'lines',
          label: t('policies.differences', { count: changed }),
          children: <Lines lines={p.lines} replaces={p.replaces} />,
        },
        {
          key: 'text',
          label: t('policies.text'),
          children: (
            <div className="paperlike">
              <PolicyHTML html={p.html} lang={language} />
            </div>
          ),
        },
      ]}
    />
  );
}

type Run = { key: number; skipped: number; lines: PolicyLine[] };

/** Lines that changed with one around them; what stays the same in between is counted. */
export function runs(lines: PolicyLine[]): Run[] {
  const all: Run[] = [];
  let skipped = 0;
  lines.forEach((line, i) => {
    const near = [lines[i - 1], line, lines[i + 1]].some((l) => l && l.kind !== 'same');
    if (!near) {
      skipped += 1;
      return;
    }
    const last = all.at(-1);
    if (!last || skipped > 0) all.push({ key: i, skipped, lines: [line] });
    else last.lines.push(line);
    skipped = 0;
  });
  if (skipped > 0) all.push({ key: lines.length, skipped, lines: [] });
  return all;
}

const marks: Record<PolicyLine['kind'], string> = { same: ' ', added: '+', removed: '−' };

function Lines({ lines, replaces }: { lines: PolicyLine[]; replaces: string }) {
  const { t } = useTranslation();
  if (lines.every((l) => l.kind === 'same'))
    return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('policies.same')} />;
  return (
    <div className="difference" role="group" aria-label={t('policies.against', { version: replaces })}>
      {runs(lines).map((run) => (
        <div key={run.key}>
          {run.skipped > 0 ? (
            <div className="skipped quiet small">{t('policies.skipped', { count: run.skipped })}</div>
          ) : null}
          {run.lines.map((line, i) => (
            <div key={i} className={`line ${line.kind}`}>
              <span aria-hidden className="mark">
                {marks[line.kind]}
              </span>
              {line.kind === 'same' ? null : <span className="unseen">{t(`policies.${line.kind}`)}</span>}
              <span>{line.text || ' '}</span>
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

/** The second step: what it does, once more, and only of what was looked at. */
function Confirm({
  draft,
  preview: p,
  close,
}: {
  draft: Omit<PolicyDraft, 'sha256'>;
  preview: PolicyPreview;
  close: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const [read, setRead] = useState(false);
  const publish = useChange(() => api.admin.publishPolicy({ ...draft, sha256: p.sha256 }), stale);
  return (
    <Modal
      open
      title={t('policies.publish_title', { title: p.title, version: p.version })}
      okText={t('policies.publish', { version: p.version })}
      cancelText={t('common.cancel')}
      okButtonProps={{ danger: draft.major, disabled: !read, loading: publish.isPending }}
      onOk={() => publish.mutate(undefined, { onSuccess: close })}
      onCancel={close}
    >
      <div className="stack">
        <Alert
          type={draft.major ? 'warning' : 'info'}
          showIcon
          title={draft.major ? t('policies.confirm_major') : t('policies.confirm_minor')}
        />
        <dl className="facts">
          <dt>{t('policies.follows')}</dt>
          <dd>{p.replaces}</dd>
          <dt>{t('policies.effective')}</dt>
          <dd>{format.time(p.effective_at)}</dd>
          <dt>{t('policies.digest')}</dt>
          <dd>
            <CopyText text={p.sha256} shown={p.sha256.slice(0, 16)} />
          </dd>
        </dl>
        <Checkbox checked={read} onChange={(e) => setRead(e.target.checked)}>
          {t('policies.i_read')}
        </Checkbox>
        <ProblemAlert error={publish.error} />
      </div>
    </Modal>
  );
}

function History({ versions }: { versions: StaffPolicy[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('policies.history')}>
      <ol className="history">
        {versions.map((v) => (
          <li key={v.version}>
            <div className="spread">
              <Link to={`/policies/${v.document}/versions/${v.version}`}>
                {t('policy.version', { version: v.version })}
              </Link>
              <Tag color={v.change === 'major' ? 'blue' : undefined}>{t(`policies.${v.change}`)}</Tag>
            </div>
            <div className="small quiet">
              {t('policies.published', { at: format.time(v.published_at) })} ·{' '}
              {t('policies.from', { date: format.date(v.effective_at) })} ·{' '}
              {by(v.published_by, t('policies.by_system'), t('policies.by_shell'))}
            </div>
            <div className="small">
              <CopyText text={v.sha256} shown={v.sha256.slice(0, 16)} />
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function by(who: string, system: string, shell: string): string {
  if (who === 'system') return system;
  return who === 'shell' ? shell : short(who);
}
