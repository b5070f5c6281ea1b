import { Alert, Button, Card } from 'antd';
import { SafetyCertificateOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AuditEntry, AuditReport } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

/** The tamper-evident log: read it, take its checkpoint, have it verified. */
export function AdminAudit() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const verify = useChange(api.admin.verifyAudit);
  return (
    <Page
      title={t('nav.admin_audit')}
      lead={t('audit.lead')}
      action={
        can(me, 'audit.verify') ? (
          <Button
            type="primary"
            icon={<SafetyCertificateOutlined />}
            loading={verify.isPending}
            onClick={() => verify.mutate(undefined)}
          >
            {t('audit.verify')}
          </Button>
        ) : null
      }
    >
      <ProblemAlert error={verify.error} />
      {verify.data ? <Verdict report={verify.data} /> : null}
      <Checkpoint />
      <ResourceTable<AuditEntry>
        label={t('nav.admin_audit')}
        queryKey={['admin', 'audit']}
        load={api.admin.audit}
        rowKey={(e) => String(e.index)}
        nameTitle={t('audit.entry')}
        nameText={(e) => e.type}
        name={(e) => (
          <span>
            <span className="quiet num">#{e.index}</span> <code className="mono">{e.type}</code>
          </span>
        )}
        columns={[
          {
            key: 'at',
            title: t('mydata.time'),
            cell: (e) => <span className="num">{format.time(e.at, true)}</span>,
            text: (e) => e.at,
          },
          {
            key: 'handle',
            title: t('audit.handle'),
            cell: (e) => <CopyText text={e.handle} shown={short(e.handle)} />,
            text: (e) => e.handle,
          },
          {
            key: 'commitment',
            title: t('audit.commitment'),
            cell: (e) => <CopyText text={e.commitment} shown={e.commitment.slice(0, 16)} />,
            text: (e) => e.commitment,
          },
        ]}
        csv="audit-log"
        refresh={() => 30_000}
        empty={{ title: t('audit.empty') }}
      />
    </Page>
  );
}

function Verdict({ report }: { report: AuditReport }) {
  const { t } = useTranslation();
  return (
    <Alert
      type={report.ok ? 'success' : 'error'}
      showIcon
      title={report.ok ? t('audit.ok', { count: report.size }) : t('audit.broken')}
      description={
        <>
          {report.problems.map((p) => (
            <div key={`${p.index} ${p.code}`}>
              <code className="mono">{p.code}</code> #{p.index}
            </div>
          ))}
          {t('audit.root')} <CopyText text={report.root} wrap />
        </>
      }
    />
  );
}

function Checkpoint() {
  const { t } = useTranslation();
  const checkpoint = useQuery({
    queryKey: ['admin', 'checkpoint'],
    queryFn: api.admin.checkpoint,
    retry: false,
  });
  if (!checkpoint.data) return null;
  return (
    <Card
      size="small"
      title={t('audit.checkpoint')}
      extra={<CopyText text={checkpoint.data.note} shown={t('common.copy')} />}
    >
      <pre className="mono" style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {checkpoint.data.note}
      </pre>
    </Card>
  );
}
