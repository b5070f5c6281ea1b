// What the person asked about their data: how it stands, by when it is due, the answer, the copy.

import { Alert, Button, Card, Drawer, Form, Modal, Select, Skeleton } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRights } from '../lib/rights';
import type { NewRightsRequest, RightsCase, RightsKind, RightsRequest } from '../api/types';
import { newKey } from '../api/http';
import { saveFile } from '../lib/csv';
import { useSettings } from '../lib/settings';
import { useChange, useCreate, useFormat, useNow, useToggle } from '../lib/use';
import { ConfirmDelete } from './confirm-delete';
import { CopyText } from './copy-text';
import { Facts } from './facts';
import { ErrorState, ProblemAlert } from './problem';
import { RequestFields } from './request-fields';
import { ResourceTable } from './resource-table';
import { short } from './name-cell';
import { StateDot } from './state-dot';

const key = ['rights'];

/** About accounts, or asked for by others; deleting has a button of its own. */
const notOfUsers: RightsKind[] = ['delete', 'cancel', 'guardian', 'deceased'];

const open = ['received', 'asked', 'carrying'];

/** Whole days until a moment; 0 on its last day, negative after it. */
export function daysLeft(due: string, now: number): number {
  return Math.floor((new Date(due).getTime() - now) / 86_400_000);
}

/** How near the due date is: the word and the colour say the same. */
export function Due({ request }: { request: Pick<RightsRequest, 'due_at' | 'provisional' | 'state'> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(60_000);
  if (!request.due_at) return <>–</>;
  const left = daysLeft(request.due_at, now);
  const last = new Date(new Date(request.due_at).getTime() - 1000).toISOString();
  const [tone, words] =
    left < 0
      ? ['bad', t('rights.overdue')]
      : left === 0
        ? ['bad', t('rights.due_today')]
        : [left < 2 ? 'warn' : 'idle', t('rights.days_left', { count: left })];
  return (
    <span className={`dot due ${tone}`}>
      <i aria-hidden="true" />
      <span>
        {words} <span className="quiet num">{format.date(last)}</span>
        {request.provisional ? <span className="quiet"> · {t('rights.provisional')}</span> : null}
      </span>
    </span>
  );
}

export function useRequests() {
  const rights = useRights();
  return useQuery({
    queryKey: [...key, 'all'],
    queryFn: rights.requests,
    refetchInterval: (q) => (q.state.data?.items.some((r) => r.copy?.state === 'making') ? 2000 : false),
  });
}

export function MyRequests() {
  const { t } = useTranslation();
  const rights = useRights();
  const format = useFormat();
  const [shown, setShown] = useState('');
  return (
    <div className="stack">
      <ResourceTable<RightsRequest>
        label={t('rights.requests')}
        queryKey={[...key, 'list']}
        load={rights.requests}
        rowKey={(r) => r.id}
        nameTitle={t('rights.kind')}
        nameText={(r) => t(`rights.kind_${r.kind}`)}
        name={(r) => (
          <div>
            <Button type="link" style={{ padding: 0, fontWeight: 500 }} onClick={() => setShown(r.id)}>
              {t(`rights.kind_${r.kind}`)}
            </Button>
            <div>
              <CopyText text={r.id} shown={short(r.id)} />
            </div>
          </div>
        )}
        filters={<Ask />}
        refresh={(rows) => (rows.some((r) => r.copy?.state === 'making') ? 2000 : false)}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (r) => <StateDot kind="rights" state={r.decision === 'partial' ? 'partial' : r.state} />,
            text: (r) => r.state,
          },
          {
            key: 'received',
            title: t('rights.received'),
            cell: (r) => <span className="num">{format.time(r.received_at)}</span>,
            text: (r) => r.received_at,
          },
          {
            key: 'due',
            title: t('rights.due'),
            cell: (r) => <Due request={r} />,
            text: (r) => r.due_at ?? '',
          },
        ]}
        actions={(r) => (
          <>
            {r.copy?.state === 'ready' ? <Download request={r} /> : null}
            <Button size="small" type="link" onClick={() => setShown(r.id)}>
              {t('rights.open')}
            </Button>
          </>
        )}
        csv="requests"
        empty={{ title: t('rights.none'), text: t('rights.none_text') }}
      />
      <Misuse />
      <Drawer
        open={shown !== ''}
        onClose={() => setShown('')}
        size={640}
        title={t('rights.one')}
        destroyOnHidden
      >
        {shown ? <One id={shown} close={() => setShown('')} /> : null}
      </Drawer>
    </div>
  );
}

/** The form for everything that the law lets a person ask. */
function Ask() {
  const { t } = useTranslation();
  const rights = useRights();
  const [shown, show, hide] = useToggle();
  const [form] = Form.useForm<NewRightsRequest>();
  const ask = useCreate((r: NewRightsRequest, k: string) => rights.ask(r, k), [key]);
  return (
    <>
      <Button type="primary" onClick={show}>
        {t('rights.ask')}
      </Button>
      <Modal
        open={shown}
        title={t('rights.ask')}
        okText={t('rights.send')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: ask.isPending }}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => {
          form.resetFields();
          ask.reset();
        }}
        destroyOnHidden
      >
        <Form form={form} layout="vertical" onFinish={(r) => ask.mutate(r, { onSuccess: hide })}>
          <RequestFields
            label={t('rights.what')}
            hint={t('rights.words_text')}
            without={rights.user ? notOfUsers : []}
          />
          <Form.Item name="to" label={t('rights.to')} initialValue="">
            <Select
              options={[
                { value: '', label: t('rights.to_desk') },
                { value: 'dpo', label: t('rights.to_dpo') },
              ]}
            />
          </Form.Item>
        </Form>
        <ProblemAlert error={ask.error} />
      </Modal>
    </>
  );
}

/** Somebody else uses the account: one step, and everything is shut. */
function Misuse() {
  const { t } = useTranslation();
  const rights = useRights();
  return (
    <Alert
      type="warning"
      showIcon
      title={t('rights.misuse')}
      description={
        <div className="stack">
          <span>{t(rights.user ? 'user.misuse_text' : 'rights.misuse_text')}</span>
          <div>
            <ConfirmDelete
              name={t('rights.kind_misuse')}
              label={t('rights.misuse_act')}
              loss={<p>{t(rights.user ? 'user.misuse_loss' : 'rights.misuse_loss')}</p>}
              remove={() => rights.ask({ kind: 'misuse' }, newKey())}
              stale={[]}
              done={() => window.location.assign(rights.gate)}
            />
          </div>
        </div>
      }
    />
  );
}

/** The file, which is used up by its download. */
export function Download({ request, primary }: { request: RightsRequest; primary?: boolean }) {
  const { t } = useTranslation();
  const rights = useRights();
  const fetch = useChange(
    async () => saveFile(`${request.id}.zip`, await rights.fetchCopy(request.id), 'application/zip'),
    [key, ['reads']],
  );
  return (
    <>
      <Button
        type={primary ? 'primary' : 'link'}
        size={primary ? undefined : 'small'}
        icon={<DownloadOutlined />}
        loading={fetch.isPending}
        onClick={() => fetch.mutate(undefined)}
      >
        {t('rights.download')}
      </Button>
      <ProblemAlert error={fetch.error} />
    </>
  );
}

function One({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation();
  const rights = useRights();
  const format = useFormat();
  const one = useQuery({ queryKey: [...key, id], queryFn: () => rights.request(id) });
  if (one.isError) return <ErrorState error={one.error} retry={() => void one.refetch()} />;
  if (!one.data) return <Skeleton active />;
  const r = one.data;
  return (
    <div className="stack">
      {r.state === 'asked' ? (
        <Alert
          type="warning"
          showIcon
          title={t('rights.asked')}
          description={t(r.kind === 'port' ? 'rights.asked_port' : 'rights.asked_text')}
        />
      ) : null}
      <Facts
        facts={[
          { label: t('rights.kind'), value: t(`rights.kind_${r.kind}`) },
          { label: t('rights.number'), value: <CopyText text={r.id} /> },
          {
            label: t('common.state'),
            value: <StateDot kind="rights" state={r.decision === 'partial' ? 'partial' : r.state} />,
          },
          {
            label: t('rights.channel'),
            value: t(`rights.channel_${r.channel}`, { defaultValue: r.channel }),
          },
          { label: t('rights.received'), value: format.time(r.received_at) },
          { label: t('rights.due'), value: <Due request={r} /> },
          ...(r.special ? [{ label: t('rights.special'), value: t(`rights.special_${r.special}`) }] : []),
          ...(r.words ? [{ label: t('rights.words'), value: <p className="prewrap">{r.words}</p> }] : []),
        ]}
      />
      <Mails mails={r.mails} />
      {r.copy ? <CopyState request={r} /> : null}
      {r.letter ? <Letter id={r.id} letter={r.letter} digest={r.letter_sha256} /> : null}
      {open.includes(r.state) && r.state !== 'carrying' ? (
        <div>
          <ConfirmDelete
            name={t(`rights.kind_${r.kind}`)}
            label={t('rights.withdraw')}
            loss={<p>{t('rights.withdraw_text')}</p>}
            remove={() => rights.withdrawRequest(r.id)}
            stale={[key]}
            done={close}
          />
        </div>
      ) : null}
    </div>
  );
}

/** What came by mail, as text; attachments are not taken. */
export function Mails({ mails }: { mails: RightsCase['mails'] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (mails.length === 0) return null;
  return (
    <section aria-label={t('rights.mails')} className="stack">
      <h3>{t('rights.mails')}</h3>
      {mails.map((m) => (
        <Card key={m.at + m.text} size="small" title={m.subject || '–'}>
          <div className="small quiet">
            {m.from || '–'} · <span className="num">{format.time(m.at)}</span>
          </div>
          <p className="prewrap">{m.text || '–'}</p>
          {m.attachments.length > 0 ? (
            <p className="small quiet">{t('rights.attachments', { names: m.attachments.join(', ') })}</p>
          ) : null}
          {m.cut ? <p className="small quiet">{t('rights.cut')}</p> : null}
        </Card>
      ))}
    </section>
  );
}

/** The answer, in the language of the page, with its digest. */
export function Letter({
  id,
  letter,
  digest,
}: {
  id: string;
  letter: Record<string, string>;
  digest?: string;
}) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const text = letter[language] ?? '';
  return (
    <section aria-label={t('rights.letter')}>
      <div className="spread">
        <h3>{t('rights.letter')}</h3>
        {digest ? (
          <Button
            size="small"
            icon={<DownloadOutlined />}
            onClick={() => saveFile(`${id}.txt`, text, 'text/plain')}
          >
            {t('rights.letter_save')}
          </Button>
        ) : null}
      </div>
      <pre className="letter">{text}</pre>
      {digest ? <p className="small quiet">{t('rights.digest', { digest: digest.slice(0, 16) })}</p> : null}
    </section>
  );
}

/** How far the copy of a request is. */
export function CopyState({ request }: { request: RightsRequest }) {
  const { t } = useTranslation();
  const format = useFormat();
  const c = request.copy;
  if (!c) return null;
  const type = { making: 'info', ready: 'success', fetched: 'info', over: 'warning' } as const;
  return (
    <Alert
      type={type[c.state]}
      showIcon
      aria-live="polite"
      title={t(`rights.copy_${c.state}`)}
      description={
        <div className="stack">
          <span>
            {t(`rights.copy_${c.state}_text`, {
              until: format.time(c.until),
              size: format.bytes(c.size),
              at: format.time(c.fetched_at),
            })}
          </span>
          {c.state === 'ready' ? (
            <div>
              <Download request={request} primary />
            </div>
          ) : null}
        </div>
      }
    />
  );
}
