import { useState } from 'react';
import { Input, Select, Skeleton, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Trust as TrustData, TrustClause, TrustLog } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Page, useTitle } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { Reading } from '../components/reading';
import { useSettings } from '../lib/settings';
import { useFormat } from '../lib/use';

/** What the published texts promise, what keeps each promise, and the last evidence of it. */
export function Trust() {
  const { t } = useTranslation();
  useTitle(t('trust.title'));
  return (
    <Reading>
      <header className="pagehead">
        <h1>{t('trust.title')}</h1>
        <p className="lead">{t('trust.lead')}</p>
      </header>
      <Board />
    </Reading>
  );
}

/** The same within the operator's frame; what nobody keeps yet, or is not as it should be, is one choice away. */
export function AdminClauses() {
  const { t } = useTranslation();
  return (
    <Page title={t('nav.admin_clauses')} lead={t('trust.staff_lead')}>
      <Board />
    </Page>
  );
}

function Board() {
  const trust = useQuery({ queryKey: ['trust'], queryFn: api.privacy.trust });
  if (trust.isPending) return <Skeleton active paragraph={{ rows: 10 }} />;
  if (trust.isError) return <ErrorState error={trust.error} retry={() => void trust.refetch()} />;
  return <Promises trust={trust.data} />;
}

const states = ['enforced', 'organisational', 'planned', 'open'] as const;
const colours: Record<string, string> = {
  enforced: 'green',
  organisational: 'blue',
  planned: 'default',
  open: 'orange',
};

function Promises({ trust }: { trust: TrustData }) {
  const { t } = useTranslation();
  const [state, setState] = useState('');
  const [words, setWords] = useState('');
  const asked = trust.clauses.filter((c) => c.evidence);
  const odd = asked.filter((c) => c.evidence?.state !== 'expected');
  const wanted = words.trim().toLowerCase();
  const shown = trust.clauses.filter(
    (c) =>
      (!state || c.state === state || (state === 'odd' && odd.includes(c))) &&
      [c.id, c.must, c.must_zh, ...c.enforced_by].some((x) => x.toLowerCase().includes(wanted)),
  );
  return (
    <div className="stack">
      <div className="tiles four">
        <Figure name={t('trust.promises')} value={trust.clauses.length} />
        <Figure
          name={t('trust.kept')}
          value={trust.clauses.filter((c) => c.state === 'enforced' || c.state === 'organisational').length}
        />
        <Figure name={t('trust.asked')} value={asked.length} />
        <Figure name={t('trust.odd')} value={odd.length} />
      </div>
      {trust.log ? <Pin log={trust.log} /> : null}
      <div className="row">
        <Input
          allowClear
          style={{ maxWidth: 280 }}
          placeholder={t('trust.find')}
          aria-label={t('trust.find')}
          value={words}
          onChange={(e) => setWords(e.target.value)}
        />
        <Select
          aria-label={t('trust.state')}
          style={{ minWidth: 170 }}
          value={state}
          onChange={setState}
          options={[
            { value: '', label: t('trust.every_state') },
            ...states.map((s) => ({ value: s, label: t(`trust.state_${s}`) })),
            { value: 'odd', label: t('trust.odd') },
          ]}
        />
      </div>
      {shown.length === 0 ? <EmptyState title={t('trust.none')} /> : null}
      {shown.map((c) => (
        <Clause key={c.id} clause={c} />
      ))}
      <div className="small quiet stack">
        <div>
          {t('trust.data_map')} <Link to="/data-map">{t('trust.data_map_get')}</Link>
          <br />
          <CopyText text={trust.data_map_sha256} wrap />
        </div>
        <div>{t('trust.program', { version: trust.program })}</div>
      </div>
    </div>
  );
}

/** What an outsider keeps, to hold to it what is shown later: key and newest checkpoint of the log. */
function Pin({ log }: { log: TrustLog }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className="tile" aria-label={t('trust.log')}>
      <h2>{t('trust.log')}</h2>
      <p className="small">{t('trust.log_text')}</p>
      <dl className="facts small">
        <dt>{t('trust.log_key')}</dt>
        <dd>
          <CopyText text={log.verifier} wrap />
        </dd>
        <dt>{t('trust.log_signed')}</dt>
        <dd>
          {t('trust.log_size', { size: format.number(log.size), at: format.time(log.signed_at, true) })}
        </dd>
        <dt>{t('trust.log_root')}</dt>
        <dd>
          <CopyText text={log.root} wrap />
        </dd>
        <dt>{t('trust.log_signature')}</dt>
        <dd>
          <CopyText text={log.signature} wrap />
        </dd>
        <dt>{t('trust.log_checkpoint')}</dt>
        <dd>
          <CopyText text={log.checkpoint} shown={t('trust.log_whole')} />
        </dd>
      </dl>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: number }) {
  return (
    <div className="tile">
      <div className="quiet small">{name}</div>
      <div className="figure num">{value}</div>
    </div>
  );
}

function Clause({ clause: c }: { clause: TrustClause }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const text = c.id.startsWith('TY') ? 'client' : 'platform';
  return (
    <section className="tile" aria-label={c.id}>
      <div className="spread">
        {c.state === 'planned' ? <b>{c.id}</b> : <Link to={`/policies/${text}#${c.id}`}>{c.id}</Link>}
        <Tag color={colours[c.state]}>{t(`trust.state_${c.state}`)}</Tag>
      </div>
      <div>{language === 'zh-CN' ? c.must_zh : c.must}</div>
      <Evidence clause={c} />
      {c.enforced_by.length > 0 ? (
        <details className="small">
          <summary>{t('trust.how')}</summary>
          <Names name={t('trust.enforced_by')} all={c.enforced_by} />
          <Names name={t('trust.tests')} all={c.tests} />
          {c.mutant_killed_by ? <Names name={t('trust.killed')} all={[c.mutant_killed_by]} /> : null}
        </details>
      ) : null}
    </section>
  );
}

function Names({ name, all }: { name: string; all: string[] }) {
  return (
    <div>
      <span className="quiet">{name}</span>
      <ul className="names">
        {all.map((x) => (
          <li key={x} className="mono">
            {x}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Evidence({ clause: c }: { clause: TrustClause }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!c.evidence) return c.query ? <div className="small quiet">{t('trust.not_asked')}</div> : null;
  const { state, examined, found, checks, checked_at } = c.evidence;
  return (
    <div className="small">
      <Tag color={state === 'expected' ? 'green' : 'red'}>{t(`trust.evidence_${state}`)}</Tag>
      {state === 'failed'
        ? t('trust.evidence_none', { checks, at: format.time(checked_at) })
        : t('trust.evidence', { examined, found, checks, at: format.time(checked_at) })}
    </div>
  );
}
