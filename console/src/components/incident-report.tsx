import { useState } from 'react';
import { Alert, Button, Card, Form, Input, Select } from 'antd';
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { IncidentFile, IncidentReport } from '../api/types';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';
import { ProblemAlert } from './problem';

const stale = [['admin', 'incidents']];
const kinds = ['first', 'further', 'summary', 'flaw'] as const;

/** What is known, and the versions of the report that are made of it. */
export function Reports({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const me = useMe();
  const [kind, setKind] = useState<(typeof kinds)[number]>('first');
  const draft = useChange(() => api.incident.draft(i.id, kind), stale);
  const handles = can(me, 'incident.handle') && !i.closed_at;
  return (
    <div className="stack">
      <Alert type="info" showIcon title={t('incident.report_text')} />
      {handles ? <KnownFacts key={JSON.stringify(i.facts)} incident={i} /> : null}
      {handles ? (
        <div className="row" style={{ flexWrap: 'wrap' }}>
          <Select
            aria-label={t('incident.report')}
            value={kind}
            onChange={setKind}
            style={{ minWidth: 160 }}
            options={kinds.map((value) => ({ value, label: t(`incident.report_${value}`) }))}
          />
          <Button type="primary" loading={draft.isPending} onClick={() => draft.mutate(undefined)}>
            {t('incident.report_draft')}
          </Button>
        </div>
      ) : null}
      <ProblemAlert error={draft.error} />
      {i.reports.toReversed().map((r) => (
        <Version key={r.version} incident={i.id} report={r} open={handles} />
      ))}
    </div>
  );
}

function KnownFacts({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const [facts, setFacts] = useState<Record<string, string>>(i.facts);
  const save = useChange(() => api.incident.facts(i.id, facts), stale);
  return (
    <Card title={t('incident.facts')}>
      <Form layout="vertical">
        {i.fact_names.map((f) => (
          <Form.Item
            key={f}
            label={t(`incident.fact_${f}`)}
            htmlFor={`fact-${f}`}
            style={{ marginBottom: 12 }}
          >
            <Input.TextArea
              id={`fact-${f}`}
              rows={2}
              maxLength={2000}
              value={facts[f] ?? ''}
              onChange={(e) => setFacts((all) => ({ ...all, [f]: e.target.value }))}
            />
          </Form.Item>
        ))}
      </Form>
      <Button loading={save.isPending} onClick={() => save.mutate(undefined)}>
        {t('incident.facts_save')}
      </Button>
      <ProblemAlert error={save.error} />
    </Card>
  );
}

function Version({ incident, report: r, open }: { incident: string; report: IncidentReport; open: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [copied, setCopied] = useState(false);
  const [file, setFile] = useState('');
  const sent = useChange(
    () => api.incident.reported(incident, r.version, { sent_at: new Date().toISOString(), reference: file }),
    stale,
  );
  return (
    <Card
      title={`${t(`incident.report_${r.kind}`)} · ${t('incident.version', { version: r.version })}`}
      extra={<span className="small quiet num">{format.time(r.drafted_at)}</span>}
    >
      {r.missing.length > 0 ? (
        <p className="quiet">
          {t('incident.facts_missing', { names: r.missing.map((f) => t(`incident.fact_${f}`)).join(', ') })}
        </p>
      ) : null}
      <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{r.markdown}</pre>
      <div className="row" style={{ flexWrap: 'wrap' }}>
        <Button
          icon={copied ? <CheckOutlined /> : <CopyOutlined />}
          onClick={() => void navigator.clipboard.writeText(r.markdown).then(() => setCopied(true))}
        >
          {copied ? t('incident.copied') : t('incident.copy')}
        </Button>
        {r.sent_at ? (
          <span className="num">
            {t('incident.report_sent', { at: format.time(r.sent_at), reference: r.reference })}
          </span>
        ) : null}
        {open && !r.sent_at ? (
          <>
            <Input
              aria-label={t('incident.reference')}
              placeholder={t('incident.reference')}
              maxLength={40}
              style={{ width: 240 }}
              value={file}
              onChange={(e) => setFile(e.target.value)}
            />
            <Button loading={sent.isPending} onClick={() => sent.mutate(undefined)}>
              {t('incident.mark_sent')}
            </Button>
          </>
        ) : null}
      </div>
      <ProblemAlert error={sent.error} />
    </Card>
  );
}
