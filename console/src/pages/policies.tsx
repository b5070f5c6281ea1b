import { Button, Card, Select, Skeleton, Tag } from 'antd';
import { DownloadOutlined, PrinterOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Policy } from '../api/types';
import { PolicyHTML } from '../components/html';
import { useTitle } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { Reading } from '../components/reading';
import { CopyText } from '../components/copy-text';
import { saveFile } from '../lib/csv';
import { useSettings } from '../lib/settings';
import { useFormat } from '../lib/use';

export function Policies() {
  const { t } = useTranslation();
  const format = useFormat();
  const { language } = useSettings();
  const policies = useQuery({ queryKey: ['policies', language], queryFn: api.privacy.policies });
  useTitle(t('policy.all'));
  return (
    <Reading>
      <header className="pagehead">
        <h1>{t('policy.all')}</h1>
        <p className="lead">{t('policy.lead')}</p>
      </header>
      {policies.isPending ? <Skeleton active /> : null}
      {policies.isError ? <ErrorState error={policies.error} retry={() => void policies.refetch()} /> : null}
      {policies.data?.items.length === 0 ? <EmptyState title={t('policy.none')} /> : null}
      <div className="stack">
        {policies.data?.items.map((p) => (
          <Link key={p.document} to={`/policies/${p.document}`} className="tile">
            <div className="spread">
              <b>{p.title}</b>
              <Tag>{t('policy.version', { version: p.version })}</Tag>
            </div>
            <div className="quiet small">{t('policy.effective', { date: format.date(p.effective_at) })}</div>
          </Link>
        ))}
      </div>
    </Reading>
  );
}

export function PolicyPage() {
  const { document = '', version } = useParams();
  const { language } = useSettings();
  const policy = useQuery({
    queryKey: ['policy', document, version ?? '', language],
    queryFn: () => api.privacy.policy(document, version),
  });
  return (
    <Reading>
      {policy.isPending ? <Skeleton active paragraph={{ rows: 14 }} /> : null}
      {policy.isError ? <ErrorState error={policy.error} retry={() => void policy.refetch()} /> : null}
      {policy.data ? <Document policy={policy.data} /> : null}
    </Reading>
  );
}

function Document({ policy }: { policy: Policy }) {
  const { t } = useTranslation();
  const format = useFormat();
  useTitle(policy.title);
  return (
    <article>
      <header className="pagehead">
        <h1>{policy.title}</h1>
        <div className="spread" style={{ marginTop: 8 }}>
          <span className="quiet">
            {t('policy.version', { version: policy.version })} ·{' '}
            {t('policy.effective', { date: format.date(policy.effective_at) })}
          </span>
          <div className="row">
            <Versions policy={policy} />
            <Button icon={<DownloadOutlined />} onClick={() => save(policy)}>
              {t('policy.download')}
            </Button>
            <Button
              icon={<PrinterOutlined />}
              aria-label={t('policy.print')}
              onClick={() => window.print()}
            />
          </div>
        </div>
      </header>
      <Card>
        <PolicyHTML html={policy.html} lang={policy.locale} />
      </Card>
      {policy.text_sha256 ? (
        <p className="small quiet">
          {t('policy.hash')} <CopyText text={policy.text_sha256} wrap />
        </p>
      ) : null}
    </article>
  );
}

function save(policy: Policy): void {
  const name = `${policy.document}-${policy.version}-${policy.locale}`;
  if (policy.text) saveFile(`${name}.txt`, policy.text, 'text/plain;charset=utf-8');
  else
    saveFile(
      `${name}.html`,
      `<!doctype html><meta charset="utf-8">${policy.html}`,
      'text/html;charset=utf-8',
    );
}

function Versions({ policy }: { policy: Policy }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  if (!policy.versions || policy.versions.length < 2) return null;
  return (
    <Select
      aria-label={t('policy.versions')}
      value={policy.version}
      options={policy.versions.map((v) => ({
        value: v.version,
        label: t('policy.version', { version: v.version }),
      }))}
      onChange={(v: string) => void navigate(`/policies/${policy.document}/versions/${v}`)}
    />
  );
}
