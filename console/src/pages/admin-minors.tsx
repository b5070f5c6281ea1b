import { useState } from 'react';
import { Alert, Button, Card, Empty, Input, Modal, Popconfirm, Tag, Upload } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { MinorAudit, MinorReading, UnguardedMinor, WaitingMinor } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { useChange, useFormat } from '../lib/use';

/** Guardians' written consents, readings that need a second person, the yearly audits. */
export function AdminMinors() {
  const { t } = useTranslation();
  const all = useQuery({ queryKey: ['admin', 'minors'], queryFn: api.admin.minors });
  return (
    <Page title={t('nav.admin_minors')} lead={t('minors.lead')}>
      {all.isError ? <ErrorState error={all.error} retry={() => void all.refetch()} /> : null}
      <Card title={t('minors.waiting')} loading={all.isPending}>
        <Rows
          items={all.data?.waiting ?? []}
          none={t('minors.no_waiting')}
          row={(w) => <Waiting key={w.account} w={w} />}
        />
      </Card>
      <Card title={t('minors.unguarded')} loading={all.isPending} extra={<TakenBack />}>
        <Rows
          items={all.data?.unguarded ?? []}
          none={t('minors.no_unguarded')}
          row={(u) => <Unguarded key={u.account} u={u} />}
        />
      </Card>
      <Card title={t('minors.readings')} loading={all.isPending}>
        <Rows
          items={all.data?.readings ?? []}
          none={t('minors.no_readings')}
          row={(r) => <Reading key={r.id} r={r} />}
        />
      </Card>
      <Card title={t('minors.audits')} loading={all.isPending}>
        <Rows
          items={all.data?.audits ?? []}
          none={t('minors.no_audits')}
          row={(a) => <Audit key={a.year} a={a} />}
        />
      </Card>
    </Page>
  );
}

function Rows<T>({ items, none, row }: { items: T[]; none: string; row: (item: T) => React.ReactNode }) {
  if (items.length === 0) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={none} />;
  return <div className="stack">{items.map(row)}</div>;
}

function Waiting({ w }: { w: WaitingMinor }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  return (
    <div className="spread">
      <div>
        <CopyText text={w.account} shown={short(w.account)} /> <Tag>{t(`minor.group_${w.age_group}`)}</Tag>
        <div className="muted">
          {w.seen_by ? t('minors.seen_once') : t('minors.seen_never')} ·{' '}
          {t('minors.erase_at', { at: format.time(w.erase_at, true) })}
        </div>
      </div>
      <Button onClick={() => setOpen(true)}>{t('minors.see')}</Button>
      {open ? <SeeDocument account={w.account} close={() => setOpen(false)} /> : null}
    </div>
  );
}

function Unguarded({ u }: { u: UnguardedMinor }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div>
      <CopyText text={u.account} shown={short(u.account)} /> <Tag>{t(`minors.cause_${u.cause}`)}</Tag>
      <div className="muted">
        {u.restricted_at
          ? t('minors.restricted', { at: format.time(u.restricted_at) })
          : t('minors.restrict_at', { at: format.time(u.restrict_at, true) })}{' '}
        · {t('minors.erase_at', { at: format.time(u.erase_at, true) })}
      </div>
    </div>
  );
}

/** A written consent that was taken back: one person is enough, since it only shuts. */
function TakenBack() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const groups = useQuery({ queryKey: ['age-groups'], queryFn: api.account.ageGroups, staleTime: Infinity });
  if (!groups.data?.items.some((g) => g.rule === 'written')) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('minors.withdrawal')}</Button>
      {open ? <SeeDocument back close={() => setOpen(false)} /> : null}
    </>
  );
}

/** The document stays on this computer: only its digest is sent. */
function SeeDocument({ account = '', back, close }: { account?: string; back?: boolean; close: () => void }) {
  const { t } = useTranslation();
  const [sha256, setDigest] = useState('');
  const [named, setNamed] = useState(account);
  const see = useChange(async () => {
    if (back) await api.admin.seeWithdrawal(named.trim(), sha256);
    else await api.admin.seeWrittenConsent(account, sha256);
    close();
  }, [['admin', 'minors']]);
  return (
    <Modal
      open
      onCancel={close}
      title={back ? t('minors.withdrawal') : t('minors.see')}
      okText={t('minors.attest')}
      okButtonProps={{ disabled: !sha256 || !named.trim(), loading: see.isPending, danger: back }}
      onOk={() => see.mutate(undefined)}
    >
      <div className="stack">
        <p style={{ margin: 0 }}>{back ? t('minors.withdrawal_text') : t('minors.see_text')}</p>
        {back ? (
          <label>
            {t('minors.withdrawal_account')}
            <Input
              className="mono"
              maxLength={40}
              autoComplete="off"
              value={named}
              onChange={(e) => setNamed(e.target.value)}
            />
          </label>
        ) : null}
        <Upload
          maxCount={1}
          showUploadList={false}
          beforeUpload={async (file) => {
            setDigest(await digest(file));
            return false;
          }}
        >
          <Button>{t('minors.choose')}</Button>
        </Upload>
        {sha256 ? (
          <Alert
            type="info"
            title={t('minors.digest')}
            description={<code style={{ overflowWrap: 'anywhere' }}>{sha256}</code>}
          />
        ) : null}
        <ProblemAlert error={see.error} />
      </div>
    </Modal>
  );
}

async function digest(file: Blob): Promise<string> {
  const sum = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, '0')).join('');
}

function Reading({ r }: { r: MinorReading }) {
  const { t } = useTranslation();
  const format = useFormat();
  const approve = useChange(() => api.admin.approveMinorReading(r.id), [['admin', 'minors']]);
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="spread">
        <div>
          <CopyText text={r.subject} shown={short(r.subject)} />
          <div className="muted">
            {t('minors.reading_by', {
              reader: short(r.reader),
              reason: r.reason,
              at: format.time(r.asked_at),
            })}
          </div>
        </div>
        {r.own ? (
          <span className="muted">{t('minors.reading_own')}</span>
        ) : (
          <Popconfirm
            title={t('minors.approve_text')}
            okText={t('minors.approve')}
            cancelText={t('common.cancel')}
            onConfirm={() => approve.mutate(undefined)}
          >
            <Button loading={approve.isPending}>{t('minors.approve')}</Button>
          </Popconfirm>
        )}
      </div>
      <ProblemAlert error={approve.error} />
    </div>
  );
}

function Audit({ a }: { a: MinorAudit }) {
  const { t } = useTranslation();
  const format = useFormat();
  const make = useChange(() => api.admin.makeMinorAudit(a.year), [['admin', 'minors']]);
  const sums = { ...a.pack?.bands, ...a.pack?.counts };
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="spread">
        <div>
          <strong>{a.year}</strong>
          <div className="muted">
            {a.made_at
              ? t('minors.made', { at: format.time(a.made_at) })
              : t('minors.due', { at: format.time(a.due_at, true) })}
          </div>
        </div>
        {a.made_at ? (
          <CopyText text={a.sha256} shown={a.sha256.slice(0, 12)} />
        ) : (
          <Button loading={make.isPending} onClick={() => make.mutate(undefined)}>
            {t('minors.make')}
          </Button>
        )}
      </div>
      {a.pack ? (
        <div className="row" style={{ flexWrap: 'wrap' }}>
          {Object.entries(sums).map(([what, n]) => (
            <Tag key={what}>
              {t(`minors.count_${what}`)}: {format.number(n)}
            </Tag>
          ))}
        </div>
      ) : null}
      <ProblemAlert error={make.error} />
    </div>
  );
}
