import { Button, Card, Skeleton, Tag } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Download } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { EmptyState, ErrorState } from '../components/problem';
import { Reading } from '../components/reading';
import { useTitle } from '../components/page';
import { useFormat } from '../lib/use';

/** The VPN client: its releases with their sums, and how a second factor is set up. */
export function Downloads() {
  const { t } = useTranslation();
  const all = useQuery({ queryKey: ['downloads'], queryFn: api.downloads });
  useTitle(t('downloads.title'));
  const newest = all.data?.items[0]?.version;
  return (
    <Reading>
      <header className="pagehead">
        <h1>{t('downloads.title')}</h1>
        <p className="lead">{t('downloads.lead')}</p>
      </header>
      {all.isPending ? <Skeleton active /> : null}
      {all.isError ? <ErrorState error={all.error} retry={() => void all.refetch()} /> : null}
      {all.data ? (
        <div className="stack">
          {all.data.items.length === 0 ? (
            <EmptyState title={t('downloads.none')} text={t('downloads.none_lead')} />
          ) : null}
          {all.data.items.map((d) => (
            <Release key={d.path} download={d} newest={d.version === newest} />
          ))}
          <Guides />
        </div>
      ) : null}
    </Reading>
  );
}

function Release({ download: d, newest }: { download: Download; newest: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [system = '', processor = ''] = d.system.split('-');
  return (
    <Card
      title={
        <span className="row">
          {t('downloads.for', { system: systems[system] ?? system, processor })}
          <span className="mono">{d.version}</span>
          <Tag>{t(d.program === 'skyconnect-window' ? 'downloads.window' : 'downloads.command')}</Tag>
          {newest ? <Tag color="green">{t('downloads.newest')}</Tag> : null}
          {tested.has(system) ? null : <Tag color="orange">{t('downloads.untested')}</Tag>}
        </span>
      }
      extra={
        <Button type={newest ? 'primary' : 'default'} icon={<DownloadOutlined />} href={d.path} download>
          {t('downloads.get')}
        </Button>
      }
    >
      <Facts
        facts={[
          { label: t('downloads.notes'), value: d.notes },
          { label: t('downloads.size'), value: format.bytes(d.size) },
          { label: 'SHA-256', value: <CopyText text={d.sha256} wrap /> },
        ]}
      />
    </Card>
  );
}

const systems: Record<string, string> = { linux: 'Linux', windows: 'Windows', darwin: 'macOS' };

/** Where the client is run by its tests; elsewhere it is built. */
const tested = new Set(['linux']);

/** What people need beside the program. */
function Guides() {
  const { t } = useTranslation();
  return (
    <Card title={t('downloads.guides')}>
      <ol className="prose">
        <li>{t('downloads.guide_check')}</li>
        <li>{t('downloads.guide_profile')}</li>
        <li>{t('downloads.guide_totp')}</li>
        <li>{t('downloads.guide_token')}</li>
        <li>{t('downloads.guide_lost')}</li>
      </ol>
    </Card>
  );
}
