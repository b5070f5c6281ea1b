// Everything that is held about the person, by kind, and the copy of it. A list shows no value; to open
// one is a read that the read log shows.

import { Alert, Button, Card, Input, Modal, Progress, Skeleton, Table, Tag } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { OwnData, ProofPack } from '../api/types';
import { useRights } from '../lib/rights';
import { useSettings } from '../lib/settings';
import { useShown } from '../lib/shown';
import { useChange, useCreate, useFormat } from '../lib/use';
import { saveFile } from '../lib/csv';
import { CopyText } from './copy-text';
import { CopyState, useRequests } from './my-requests';
import { ErrorState, ProblemAlert } from './problem';
import { ResourceTable } from './resource-table';

export function MyHoldings() {
  const { t } = useTranslation();
  const shown = useShown();
  const rights = useRights();
  const format = useFormat();
  const { language } = useSettings();
  const [opened, setOpened] = useState('');
  const named = shown.table;
  const kinds = (d: OwnData) => d.categories.map((c) => shown.category(c));
  const kept = (d: OwnData) =>
    d.kept
      .map((k) => k.words[language] ?? t(`retention.class_${k.class}`, { defaultValue: k.class }))
      .join(t('common.list_comma'));
  return (
    <div className="stack">
      <TakeCopy />
      {rights.user ? null : <TakeProof />}
      <ResourceTable<OwnData>
        label={t('rights.held')}
        queryKey={['own-data']}
        load={rights.held}
        rowKey={(d) => d.table}
        nameTitle={t('rights.held_what')}
        nameText={(d) => named(d.table)}
        name={(d) => <div style={{ fontWeight: 500 }}>{named(d.table)}</div>}
        columns={[
          {
            key: 'kinds',
            title: t('rights.held_kinds'),
            cell: (d) => (
              <span className="tags">
                {kinds(d).map((k) => (
                  <Tag key={k}>{k}</Tag>
                ))}
              </span>
            ),
            text: (d) => kinds(d).join(' '),
          },
          {
            key: 'rows',
            title: t('rights.held_rows'),
            align: 'right',
            cell: (d) => <span className="num">{format.number(d.rows)}</span>,
            text: (d) => d.rows,
          },
          {
            key: 'kept',
            title: t('rights.held_kept'),
            cell: (d) => (
              <div>
                {kept(d)}
                {d.law ? <div className="small quiet">{t('rights.held_law', { law: d.law })}</div> : null}
              </div>
            ),
            text: kept,
          },
        ]}
        actions={(d) => (
          <Button size="small" type="link" onClick={() => setOpened(d.table)}>
            {t('rights.look')}
          </Button>
        )}
        csv="my-data"
        empty={{ title: t('rights.held_none') }}
      />
      {rights.user ? null : <Arrangement />}
      <Modal
        open={opened !== ''}
        width={960}
        title={opened ? named(opened) : ''}
        footer={null}
        onCancel={() => setOpened('')}
        destroyOnHidden
      >
        {opened ? <Sheet table={opened} /> : null}
      </Modal>
    </div>
  );
}

function Sheet({ table }: { table: string }) {
  const { t } = useTranslation();
  const shown = useShown();
  const rights = useRights();
  const sheet = useQuery({
    queryKey: ['own-sheet', table],
    queryFn: () => rights.sheet(table),
    staleTime: Infinity, // each opening is recorded
    gcTime: 0,
  });
  if (sheet.isError) return <ErrorState error={sheet.error} retry={() => void sheet.refetch()} />;
  if (!sheet.data) return <Skeleton active />;
  const { columns, rows, total } = sheet.data;
  if (columns.length === 0) return <p>{t('rights.look_withheld', { total })}</p>;
  return (
    <div className="stack">
      <p className="quiet">{t('rights.look_text', { shown: rows.length, total })}</p>
      <Table
        size="small"
        scroll={{ x: 'max-content' }}
        rowKey={(r) => r.at}
        dataSource={rows.map((cells, at) => ({ at, cells: cells ?? [] }))}
        pagination={rows.length > 20 ? { pageSize: 20, size: 'small' } : false}
        columns={columns.map((c, i) => ({
          key: c,
          title: shown.column(table, c),
          render: (_, row) => <Value text={row.cells[i] ?? ''} />,
        }))}
      />
    </div>
  );
}

/** Times are microseconds of the epoch in what is held. */
function Value({ text }: { text: string }) {
  const format = useFormat();
  const micros = /^1[5-9]\d{14}$/.test(text);
  if (micros)
    return <span className="num">{format.time(new Date(Number(text) / 1000).toISOString(), true)}</span>;
  return <span className="cellvalue">{text || '–'}</span>;
}

/** A copy of everything, and one to carry elsewhere: asked for, made, downloaded here. */
function TakeCopy() {
  const { t } = useTranslation();
  const rights = useRights();
  const requests = useRequests();
  const ask = useCreate(
    (kind: 'copy' | 'port', k: string) => rights.ask({ kind }, k),
    [['rights'], ['own-data']],
  );
  const newest = requests.data?.items.find((r) => r.copy && r.copy.state !== 'over');
  const busy = newest?.copy?.state === 'making';
  return (
    <Card size="small" title={t('rights.take')}>
      <div className="stack">
        <span>{t('rights.take_text')}</span>
        {newest ? <CopyState request={newest} /> : null}
        <div className="row">
          <Button
            type={newest?.copy?.state === 'ready' ? 'default' : 'primary'}
            loading={ask.isPending}
            disabled={busy}
            onClick={() => ask.mutate('copy')}
          >
            {t('rights.take_copy')}
          </Button>
          <Button loading={ask.isPending} disabled={busy} onClick={() => ask.mutate('port')}>
            {t('rights.take_port')}
          </Button>
        </div>
        {ask.data?.state === 'asked' ? (
          <ProblemFree title={t('rights.asked')} text={t('rights.asked_port')} />
        ) : null}
        <ProblemAlert error={ask.error} />
      </div>
    </Card>
  );
}

/** The file that shows, without us, what was promised, agreed, sent and read: made by a job, downloaded here. */
function TakeProof() {
  const { t } = useTranslation();
  const pack = useQuery({
    queryKey: ['proof-pack'],
    queryFn: api.privacy.proofPack,
    refetchInterval: (q) => (q.state.data?.state === 'making' ? 1000 : false),
  });
  const make = useChange(api.privacy.makeProofPack, [['proof-pack'], ['reads']]);
  const making = pack.data?.state === 'making';
  return (
    <Card size="small" title={t('proof.title')}>
      <div className="stack">
        <span>{t('proof.text')}</span>
        {pack.data ? <ProofState pack={pack.data} /> : null}
        <div className="row">
          <Button loading={make.isPending} disabled={making} onClick={() => make.mutate(undefined)}>
            {t('proof.take')}
          </Button>
        </div>
        <span className="small quiet">
          {t('proof.check')} <CopyText text="skybridge-verify --key log.pub skybridge-proof-pack.zip" wrap />
        </span>
        <ProblemAlert error={make.error ?? pack.error} />
      </div>
    </Card>
  );
}

/** How far the proof pack is. */
function ProofState({ pack }: { pack: ProofPack }) {
  const { t } = useTranslation();
  const format = useFormat();
  const fetch = useChange(
    async () => saveFile('skybridge-proof-pack.zip', await api.privacy.fetchProofPack(), 'application/zip'),
    [['reads']],
  );
  switch (pack.state) {
    case 'making':
      return (
        <div role="status">
          <span>{t('proof.making')}</span>
          <Progress percent={pack.percent} aria-label={t('proof.making')} />
        </div>
      );
    case 'failed':
      return (
        <Alert
          type="error"
          showIcon
          title={t('proof.failed')}
          description={t(`proof.failed_${pack.problem ?? 'error'}`)}
        />
      );
    case 'ready':
      return (
        <Alert
          type="success"
          showIcon
          aria-live="polite"
          title={t('proof.ready')}
          description={
            <div className="stack">
              <span>
                {t('proof.ready_text', { until: format.time(pack.until), size: format.bytes(pack.size) })}
              </span>
              <div>
                <Button
                  type="primary"
                  icon={<DownloadOutlined />}
                  loading={fetch.isPending}
                  onClick={() => fetch.mutate(undefined)}
                >
                  {t('proof.download')}
                </Button>
              </div>
              <ProblemAlert error={fetch.error} />
            </div>
          }
        />
      );
    default:
      return null;
  }
}

function ProblemFree({ title, text }: { title: string; text: string }) {
  return (
    <div role="status">
      <strong>{title}</strong>
      <div>{text}</div>
    </div>
  );
}

/** What the person wants to happen with their data after their death. */
function Arrangement() {
  const { t } = useTranslation();
  const format = useFormat();
  const [editing, setEditing] = useState(false);
  return (
    <Card size="small" title={t('rights.death')}>
      <div className="stack">
        <span>{t('rights.death_text')}</span>
        {editing ? (
          <ArrangementForm done={() => setEditing(false)} time={format.time} />
        ) : (
          <div>
            <Button onClick={() => setEditing(true)}>{t('rights.death_open')}</Button>
          </div>
        )}
      </div>
    </Card>
  );
}

function ArrangementForm({ done, time }: { done: () => void; time: (iso?: string) => string }) {
  const { t } = useTranslation();
  const kept = useQuery({ queryKey: ['arrangement'], queryFn: api.privacy.arrangement, gcTime: 0 });
  const [words, setWords] = useState<string>();
  const save = useChange((text: string) => api.privacy.arrange(text), [['arrangement']]);
  if (kept.isError) return <ErrorState error={kept.error} retry={() => void kept.refetch()} />;
  if (!kept.data) return <Skeleton active />;
  const text = words ?? kept.data.words;
  return (
    <div className="stack">
      <Input.TextArea
        aria-label={t('rights.death')}
        rows={4}
        maxLength={4000}
        value={text}
        onChange={(e) => setWords(e.target.value)}
      />
      <span className="small quiet">
        {kept.data.at ? t('rights.death_at', { at: time(kept.data.at) }) : t('rights.death_none')}
      </span>
      <ProblemAlert error={save.error} />
      <div className="row">
        <Button
          type="primary"
          loading={save.isPending}
          onClick={() => save.mutate(text, { onSuccess: done })}
        >
          {t('common.save')}
        </Button>
        <Button onClick={done}>{t('common.cancel')}</Button>
      </div>
    </div>
  );
}
