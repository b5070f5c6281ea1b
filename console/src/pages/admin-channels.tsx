// The channels by which requests about personal data arrive: which the policies print, and which answer.

import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { IntakeChannel } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useChange, useFormat } from '../lib/use';

const key = ['admin', 'channels'];

function standing(c: Pick<IntakeChannel, 'silent' | 'printed'>): string {
  if (!c.silent) return 'live';
  return c.printed ? 'silent' : 'unprinted';
}

export function AdminChannels() {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Page title={t('nav.admin_intake')} lead={t('channel.lead')} action={<PostLink />}>
      <ResourceTable<IntakeChannel>
        label={t('nav.admin_intake')}
        queryKey={key}
        load={api.admin.channels}
        refresh={() => 60_000}
        rowKey={(c) => c.id}
        nameTitle={t('channel.name')}
        nameText={(c) => t(`rights.channel_${c.id}`)}
        name={(c) => <span style={{ fontWeight: 500 }}>{t(`rights.channel_${c.id}`)}</span>}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (c) => <StateDot kind="channel" state={standing(c)} />,
            text: standing,
          },
          {
            key: 'printed',
            title: t('channel.printed'),
            cell: (c) => t(c.printed ? 'channel.printed_yes' : 'channel.printed_no'),
            text: (c) => String(c.printed),
          },
          {
            key: 'adapter',
            title: t('channel.adapter'),
            cell: (c) => (
              <div>
                <div>{t(`channel.adapter_${c.adapter || 'none'}`)}</div>
                {c.problem ? <code className="small">{c.problem}</code> : null}
              </div>
            ),
            text: (c) => c.adapter,
          },
          {
            key: 'owner',
            title: t('channel.owner'),
            cell: (c) => (c.owner ? <code>{c.owner}</code> : '–'),
            text: (c) => c.owner,
          },
          {
            key: 'beat',
            title: t('channel.beat'),
            cell: (c) => (
              <span className="num">{c.beat_at ? format.time(c.beat_at) : t('channel.never')}</span>
            ),
            text: (c) => c.beat_at ?? '',
          },
        ]}
        actions={(c) => (c.adapter ? <Try id={c.id} /> : null)}
        csv="channels"
        empty={{ title: t('channel.none') }}
      />
    </Page>
  );
}

function Try({ id }: { id: string }) {
  const { t } = useTranslation();
  const go = useChange(() => api.admin.tryChannel(id), [key]);
  return (
    <div>
      <Button size="small" type="link" loading={go.isPending} onClick={() => go.mutate(undefined)}>
        {t('channel.try')}
      </Button>
      <ProblemAlert error={go.error} />
    </div>
  );
}

/** A link for the QQ group: whoever opens it types there, and nothing is said in the group. */
function PostLink() {
  const { t } = useTranslation();
  const format = useFormat();
  const make = useChange(() => api.admin.requestLink());
  return (
    <div className="stack">
      <Button type="primary" loading={make.isPending} onClick={() => make.mutate(undefined)}>
        {t('channel.link')}
      </Button>
      {make.data ? (
        <Alert
          type="info"
          title={t('channel.link_text', { until: format.time(make.data.until) })}
          description={<CopyText text={make.data.url} />}
        />
      ) : null}
      <ProblemAlert error={make.error} />
    </div>
  );
}
