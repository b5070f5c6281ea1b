import { Alert, Card, Tabs } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AccessEntry, ConsentRecord, Disclosure, Read } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { Children } from '../components/children';
import { Held } from '../components/held';
import { MyCorrections } from '../components/my-corrections';
import { MyHoldings } from '../components/my-holdings';
import { MyRequests } from '../components/my-requests';
import { IncidentNotices } from '../components/incident-notices';
import { Page } from '../components/page';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useShown } from '../lib/shown';
import { useFormat } from '../lib/use';

/** What is held of the person, who got it, who read it, and what was agreed to. */
export function MyData() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  return (
    <Page title={t('nav.mydata')} lead={t('mydata.lead')}>
      <Held />
      <Children />
      <Tabs
        activeKey={params.get('tab') ?? 'held'}
        onChange={(tab) => setParams({ tab }, { replace: true })}
        items={[
          { key: 'held', label: t('rights.held'), children: <MyHoldings /> },
          { key: 'requests', label: t('rights.requests'), children: <MyRequests /> },
          { key: 'consents', label: t('mydata.consents'), children: <Consents /> },
          { key: 'disclosures', label: t('mydata.disclosures'), children: <Disclosures /> },
          { key: 'corrections', label: t('correction.tab'), children: <MyCorrections /> },
          { key: 'reads', label: t('mydata.reads'), children: <Reads /> },
          { key: 'access', label: t('mydata.access'), children: <Access /> },
          { key: 'incidents', label: t('incident.notices'), children: <IncidentNotices /> },
          { key: 'policies', label: t('mydata.policies'), children: <PolicyLinks /> },
        ]}
      />
    </Page>
  );
}

/** The newest act of each purpose: what holds now. Older ones are history. */
export function current(records: ConsentRecord[]): Set<string> {
  const newest = new Map<string, ConsentRecord>();
  for (const r of records) {
    const seen = newest.get(r.purpose);
    if (!seen || r.at > seen.at) newest.set(r.purpose, r);
  }
  return new Set([...newest.values()].map((r) => r.id));
}

function Consents() {
  const { t } = useTranslation();
  const format = useFormat();
  const all = useQuery({ queryKey: ['consents', 'all'], queryFn: () => api.privacy.consents() });
  const now = current(all.data?.items ?? []);
  const shown = useShown();
  const purpose = (r: ConsentRecord) => shown.purpose(r.purpose);
  return (
    <ResourceTable<ConsentRecord>
      label={t('mydata.consents')}
      queryKey={['consents', 'list']}
      load={api.privacy.consents}
      rowKey={(r) => r.id}
      nameTitle={t('mydata.purpose')}
      nameText={purpose}
      name={(r) => (
        <div>
          <div style={{ fontWeight: 500 }}>{purpose(r)}</div>
          <Link to={`/policies/${r.document}/versions/${r.version}`}>
            {t('policy.version', { version: r.version })}
          </Link>
        </div>
      )}
      columns={[
        {
          key: 'decision',
          title: t('mydata.decision'),
          cell: (r) => <StateDot kind="consent" state={r.decision} />,
          text: (r) => t(`state.consent.${r.decision}`),
        },
        {
          key: 'kind',
          title: t('mydata.kind'),
          cell: (r) => t(`consent_kind.${r.kind}`, { defaultValue: r.kind }),
          text: (r) => t(`consent_kind.${r.kind}`, { defaultValue: r.kind }),
        },
        {
          key: 'at',
          title: t('mydata.time'),
          cell: (r) => <span className="num">{format.time(r.at, true)}</span>,
          text: (r) => r.at,
        },
      ]}
      csv="consents"
      empty={{ title: t('mydata.no_consents') }}
      actions={(r) =>
        r.decision === 'grant' && now.has(r.id) ? (
          <ConfirmDelete
            small
            name={purpose(r)}
            label={t('mydata.withdraw')}
            loss={
              <>
                <p>{t(`purpose.${r.purpose}_loss`, { defaultValue: t('mydata.withdraw_text') })}</p>
                <p className="quiet">{t('mydata.withdraw_note')}</p>
              </>
            }
            remove={() => api.privacy.withdraw(r.purpose)}
            stale={[['consents'], ['prompt'], ['real-name'], ['me']]}
          />
        ) : null
      }
    />
  );
}

function Disclosures() {
  const { t } = useTranslation();
  const format = useFormat();
  const shown = useShown();
  const who = (d: Disclosure) => d.legal_name || d.recipient;
  return (
    <ResourceTable<Disclosure>
      label={t('mydata.disclosures')}
      queryKey={['disclosures']}
      load={api.privacy.disclosures}
      rowKey={(d) => d.id}
      nameTitle={t('mydata.recipient')}
      nameText={who}
      name={(d) => <span style={{ fontWeight: 500 }}>{who(d)}</span>}
      columns={[
        {
          key: 'fields',
          title: t('mydata.fields'),
          cell: (d) => shown.fields(d.fields),
          text: (d) => shown.fields(d.fields),
        },
        {
          key: 'purpose',
          title: t('mydata.purpose'),
          cell: (d) => shown.purpose(d.purpose),
          text: (d) => shown.purpose(d.purpose),
        },
        {
          key: 'phase',
          title: t('common.state'),
          cell: (d) => <StateDot kind="disclosure" state={d.phase} />,
          text: (d) => t(`state.disclosure.${d.phase}`),
        },
        {
          key: 'at',
          title: t('mydata.time'),
          cell: (d) => <span className="num">{format.time(d.at, true)}</span>,
          text: (d) => d.at,
        },
      ]}
      csv="disclosures"
      empty={{ title: t('mydata.no_disclosures'), text: t('mydata.no_disclosures_text') }}
    />
  );
}

function Reads() {
  const { t } = useTranslation();
  const format = useFormat();
  const shown = useShown();
  const who = (r: Read) => shown.reader(r.reader);
  return (
    <ResourceTable<Read>
      label={t('mydata.reads')}
      queryKey={['reads']}
      load={api.privacy.reads}
      rowKey={(r) => r.id}
      nameTitle={t('mydata.reader')}
      nameText={who}
      name={(r) => <span style={{ fontWeight: 500 }}>{who(r)}</span>}
      columns={[
        {
          key: 'fields',
          title: t('mydata.fields'),
          cell: (r) => shown.fields(r.fields),
          text: (r) => shown.fields(r.fields),
        },
        {
          key: 'purpose',
          title: t('mydata.purpose'),
          cell: (r) => shown.purpose(r.purpose),
          text: (r) => shown.purpose(r.purpose),
        },
        {
          key: 'reason',
          title: t('mydata.reason'),
          cell: (r) => shown.reason(r.reason),
          text: (r) => shown.reason(r.reason),
        },
        {
          key: 'at',
          title: t('mydata.time'),
          cell: (r) => <span className="num">{format.time(r.at, true)}</span>,
          text: (r) => r.at,
        },
      ]}
      csv="reads"
      empty={{ title: t('mydata.no_reads'), text: t('mydata.no_reads_text') }}
    />
  );
}

function Access() {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ResourceTable<AccessEntry>
      label={t('mydata.access')}
      queryKey={['access-log']}
      load={api.account.accessLog}
      rowKey={(e) => `${e.at} ${e.page}`}
      nameTitle={t('mydata.page')}
      nameText={(e) => e.page}
      name={(e) => <code className="mono">{e.page}</code>}
      columns={[
        {
          key: 'at',
          title: t('mydata.time'),
          cell: (e) => <span className="num">{format.time(e.at, true)}</span>,
          text: (e) => e.at,
        },
        {
          key: 'ip',
          title: t('security.ip'),
          cell: (e) => <span className="mono">{e.ip}</span>,
          text: (e) => e.ip,
        },
        {
          key: 'device',
          title: t('security.device'),
          cell: (e) => `${e.browser} · ${e.os}`,
          text: (e) => `${e.browser} ${e.os}`,
        },
      ]}
      csv="access-log"
      empty={{ title: t('mydata.no_access') }}
    />
  );
}

function PolicyLinks() {
  const { t } = useTranslation();
  const policies = useQuery({ queryKey: ['policies'], queryFn: api.privacy.policies });
  return (
    <div className="stack">
      <Alert type="info" showIcon title={t('mydata.policies_note')} />
      {policies.data?.items.map((p) => (
        <Card key={p.document} size="small">
          <div className="spread">
            <Link to={`/policies/${p.document}`}>{p.title}</Link>
            <span className="quiet">{t('policy.version', { version: p.version })}</span>
          </div>
        </Card>
      ))}
    </div>
  );
}
