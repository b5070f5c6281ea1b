import { useState } from 'react';
import { Alert, Button, Drawer, Form, Input, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ErasureCase } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useChange, useFormat } from '../lib/use';

const list = ['admin', 'erasures'];

/** Erasures, those under way first: what waits, for what, and until when. */
export function AdminErasures() {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState('');
  return (
    <Page title={t('nav.admin_erasures')} lead={t('erasure.staff_lead')}>
      <ResourceTable<ErasureCase>
        label={t('nav.admin_erasures')}
        queryKey={list}
        load={api.erasure.list}
        rowKey={(e) => e.id}
        nameTitle={t('erasure.number')}
        nameText={(e) => e.id}
        name={(e) => <CopyText text={e.id} shown={short(e.id)} />}
        columns={[
          {
            key: 'step',
            title: t('common.state'),
            cell: (e) => (
              <StateDot kind="erasure" state={e.problem ? 'waits' : e.step === 'done' ? 'done' : 'runs'} />
            ),
            text: (e) => e.step,
          },
          {
            key: 'problem',
            title: t('erasure.waits_for'),
            cell: (e) => (e.problem ? t(`erasure.short_${e.problem}`) : '–'),
            text: (e) => e.problem,
          },
          {
            key: 'trigger',
            title: t('erasure.trigger'),
            cell: (e) => t(`erasure.trigger_${e.trigger}`),
            text: (e) => e.trigger,
          },
          {
            key: 'due',
            title: t('erasure.due_at'),
            cell: (e) => <span className="num">{format.time(e.due_at)}</span>,
            text: (e) => e.due_at,
          },
        ]}
        actions={(e) => (
          <Button type="link" size="small" onClick={() => setOpen(e.id)}>
            {t('erasure.open')}
          </Button>
        )}
        csv="erasures"
        empty={{ title: t('erasure.none'), text: t('erasure.none_text') }}
      />
      <Drawer
        open={open !== ''}
        onClose={() => setOpen('')}
        title={t('erasure.case')}
        size="large"
        destroyOnHidden
      >
        {open ? <Case id={open} /> : null}
      </Drawer>
    </Page>
  );
}

function Case({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const key = ['admin', 'erasure', id];
  const found = useQuery({ queryKey: key, queryFn: () => api.erasure.detail(id) });
  const run = useChange(() => api.erasure.run(id), [key, list]);
  if (found.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (found.isError) return <ProblemAlert error={found.error} />;
  const e = found.data;
  const kept = e.outcomes.filter((o) => o.class);
  return (
    <div className="stack">
      {e.problem ? <Alert type="warning" showIcon title={t(`erasure.short_${e.problem}`)} /> : null}
      <Facts
        facts={[
          { label: t('erasure.number'), value: <CopyText text={e.id} wrap /> },
          { label: t('erasure.subject'), value: <CopyText text={e.subject} shown={short(e.subject)} /> },
          { label: t('erasure.step'), value: t(`erasure.step_${e.step}`) },
          { label: t('erasure.asked_at'), value: format.time(e.asked_at) },
          { label: t('erasure.due_at'), value: format.time(e.due_at) },
          { label: t('erasure.effective_at'), value: format.time(e.effective_at) },
          { label: t('erasure.complete_at'), value: format.time(e.complete_at) },
        ]}
      />
      <div className="row">
        {e.step === 'done' ? null : (
          <Button loading={run.isPending} onClick={() => run.mutate(undefined)}>
            {t('erasure.run')}
          </Button>
        )}
        {e.certified ? (
          <Button href={api.erasure.certificate(e.id)} download>
            {t('erasure.certificate')}
          </Button>
        ) : null}
      </div>
      <ProblemAlert error={run.error} />
      {e.unsettled.length > 0 ? <Unsettled erasure={e} stale={[key, list]} /> : null}
      {e.recipients.length > 0 ? <Recipients erasure={e} stale={[key]} /> : null}
      {e.outcomes.length > 0 ? (
        <>
          <h3>{t('erasure.result')}</h3>
          <p>
            {t('erasure.deleted_rows', {
              count: e.outcomes.reduce((sum, o) => sum + o.deleted, 0),
              tables: e.outcomes.length - kept.length,
            })}
          </p>
          <ul>
            {kept.map((o) => (
              <li key={o.table}>
                <span className="mono">{o.table}</span> ·{' '}
                {t('erasure.kept_by', { law: o.law, until: o.until })}
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  );
}

interface Part {
  erasure: ErasureCase;
  stale: string[][];
}

function Unsettled({ erasure, stale }: Part) {
  const { t } = useTranslation();
  const settle = useChange((paper: string) => api.erasure.settled(erasure.id, paper), stale);
  const owed = erasure.unsettled.some((u) => u.kind === 'balance' || u.kind === 'payment');
  return (
    <>
      <h3>{t('erasure.unsettled')}</h3>
      <ul>
        {erasure.unsettled.map((u) => (
          <li key={u.kind + u.id}>
            {t(`erasure.unsettled_${u.kind}`)} <span className="mono">{u.id}</span> {u.state}
          </li>
        ))}
      </ul>
      {owed ? (
        <Form<{ paper: string }> layout="vertical" onFinish={({ paper }) => settle.mutate(paper)}>
          <Form.Item
            name="paper"
            label={t('erasure.paper')}
            extra={t('erasure.paper_text')}
            rules={[{ required: true, min: 3, max: 200 }]}
          >
            <Input maxLength={200} />
          </Form.Item>
          <ProblemAlert error={settle.error} />
          <Button htmlType="submit" loading={settle.isPending}>
            {t('erasure.settled')}
          </Button>
        </Form>
      ) : null}
    </>
  );
}

function Recipients({ erasure, stale }: Part) {
  const { t } = useTranslation();
  const format = useFormat();
  const note = useChange((recipient: string) => api.erasure.acknowledged(erasure.id, recipient), stale);
  return (
    <>
      <h3>{t('erasure.recipients')}</h3>
      <p className="quiet">{t('erasure.recipients_text')}</p>
      {erasure.recipients.map((r) => (
        <div className="spread" key={r.id}>
          <span>
            {r.legal_name || r.id} <span className="mono quiet">{r.id}</span>
          </span>
          {r.acknowledged_at ? (
            <span className="num">{format.time(r.acknowledged_at)}</span>
          ) : (
            <Button size="small" loading={note.isPending} onClick={() => note.mutate(r.id)}>
              {t('erasure.acknowledged')}
            </Button>
          )}
        </div>
      ))}
      <ProblemAlert error={note.error} />
    </>
  );
}
