// The rights desk: the queue by due date, one request opened with a recorded read, the answer.

import { Alert, Button, Checkbox, Drawer, Form, Input, Modal, Radio, Select, Skeleton, Tabs } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type {
  LinkedRequest,
  RightsAnswer,
  RightsCase,
  RightsKind,
  RightsRequest,
  TakenRequest,
} from '../api/types';
import { CorrectRealName } from '../components/correct-real-name';
import { CorrectionTasks } from '../components/correction-tasks';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { Due, Letter, Mails } from '../components/my-requests';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { kinds, RequestFields } from '../components/request-fields';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useCreate, useFormat, useToggle } from '../lib/use';

const stale = [['admin', 'rights']];
const reasons = [
  'not_held',
  'identity_not_proven',
  'authority_not_proven',
  'must_keep',
  'basis_stands',
  'others_harmed',
  'not_feasible',
  'excessive',
  'already_done',
  'not_ours',
] as const;
const laws = [
  'PIPL-15',
  'PIPL-31',
  'PIPL-44',
  'PIPL-45',
  'PIPL-46',
  'PIPL-47',
  'PIPL-48',
  'PIPL-49',
  'PIPL-50',
  'CSL-23',
  'CSL-26',
  'ECL-31',
  'NDR-25',
  'PDPO-20',
  'PDPO-24',
] as const;
const remedies = ['complaint', 'authority', 'court'] as const;
const specials = ['complex', 'volume', 'recipient'] as const;

/** Channels that bring words and no kind. */
const worded = ['service_mail', 'privacy_mail', 'dpo', 'qq', 'assistant'];

export function AdminRights() {
  const { t } = useTranslation();
  const [shown, setShown] = useState('');
  return (
    <Page title={t('nav.admin_rights')} lead={t('desk.lead')} action={<Take />}>
      <Tabs
        items={[
          { key: 'open', label: t('desk.queue'), children: <Queue closed={false} show={setShown} /> },
          { key: 'corrections', label: t('correction.tasks'), children: <CorrectionTasks /> },
          { key: 'closed', label: t('desk.closed'), children: <Queue closed show={setShown} /> },
        ]}
      />
      <Drawer
        open={shown !== ''}
        onClose={() => setShown('')}
        size={720}
        title={t('rights.one')}
        destroyOnHidden
      >
        {shown ? <One key={shown} id={shown} close={() => setShown('')} /> : null}
      </Drawer>
    </Page>
  );
}

function Queue({ closed, show }: { closed: boolean; show: (id: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [kind, setKind] = useState<RightsKind>();
  return (
    <ResourceTable<RightsRequest>
      label={t(closed ? 'desk.closed' : 'desk.queue')}
      queryKey={['admin', 'rights', closed ? 'closed' : 'open']}
      load={() => api.admin.requests(closed)}
      refresh={() => 60_000}
      rowKey={(r) => r.id}
      nameTitle={t('rights.kind')}
      nameText={(r) => t(`rights.kind_${r.kind}`)}
      name={(r) => (
        <div>
          <div style={{ fontWeight: 500 }}>{t(`rights.kind_${r.kind}`)}</div>
          <CopyText text={r.id} shown={short(r.id)} />
        </div>
      )}
      filters={
        <Select
          allowClear
          aria-label={t('desk.filter')}
          placeholder={t('desk.all')}
          style={{ width: 210 }}
          value={kind}
          onChange={setKind}
          options={[...kinds, 'misuse' as const].map((k) => ({ value: k, label: t(`rights.kind_${k}`) }))}
        />
      }
      filter={(r) => !kind || r.kind === kind}
      columns={[
        {
          key: 'due',
          title: t('rights.due'),
          cell: (r) => (closed ? '–' : <Due request={r} />),
          text: (r) => r.due_at ?? '',
        },
        {
          key: 'state',
          title: t('common.state'),
          cell: (r) => <StateDot kind="rights" state={r.decision === 'partial' ? 'partial' : r.state} />,
          text: (r) => r.state,
        },
        {
          key: 'channel',
          title: t('rights.channel'),
          cell: (r) => t(`rights.channel_${r.channel}`, { defaultValue: r.channel }),
          text: (r) => r.channel,
        },
        {
          key: 'received',
          title: t('rights.received'),
          cell: (r) => <span className="num">{format.time(r.received_at)}</span>,
          text: (r) => r.received_at,
        },
      ]}
      actions={(r) => <Open request={r} show={show} />}
      csv="rights-desk"
      empty={{ title: t('desk.none'), text: t('desk.none_text') }}
    />
  );
}

/** Nothing is opened by a slip: it would be recorded. */
function Open({ request, show }: { request: RightsRequest; show: (id: string) => void }) {
  const { t } = useTranslation();
  const [asked, ask, no] = useToggle();
  return (
    <>
      <Button size="small" type="link" onClick={ask}>
        {t('desk.open')}
      </Button>
      <Modal
        open={asked}
        title={`${t('desk.open')}: ${t(`rights.kind_${request.kind}`)}`}
        okText={t('desk.open')}
        cancelText={t('common.cancel')}
        onCancel={no}
        onOk={() => {
          no();
          show(request.id);
        }}
      >
        <p>{t('desk.open_text')}</p>
      </Modal>
    </>
  );
}

function One({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const one = useQuery({
    queryKey: ['admin-request', id],
    queryFn: () => api.admin.request(id),
    staleTime: Infinity, // each opening is recorded
    gcTime: 0,
  });
  if (one.isError) return <ErrorState error={one.error} retry={() => void one.refetch()} />;
  if (!one.data) return <Skeleton active />;
  const r = one.data;
  return (
    <div className="stack">
      <Facts
        facts={[
          { label: t('rights.kind'), value: t(`rights.kind_${r.kind}`) },
          { label: t('rights.number'), value: <CopyText text={r.id} /> },
          {
            label: t('common.state'),
            value: <StateDot kind="rights" state={r.decision === 'partial' ? 'partial' : r.state} />,
          },
          { label: t('desk.identity'), value: t(`desk.identity_${r.identity}`) },
          { label: t('rights.received'), value: format.time(r.received_at) },
          { label: t('rights.due'), value: <Due request={r} /> },
          ...(r.special ? [{ label: t('rights.special'), value: t(`rights.special_${r.special}`) }] : []),
          { label: t('rights.words'), value: <p className="prewrap">{r.words || '–'}</p> },
        ]}
      />
      {(r.kind === 'correct' || r.kind === 'supplement') &&
      r.state === 'received' &&
      can(me, 'realname.correct') ? (
        <CorrectRealName id={r.id} />
      ) : null}
      <Mails mails={r.mails} />
      {r.kind === 'deceased' && !r.closed_at ? <Died id={r.id} /> : null}
      {r.state === 'received' || r.state === 'asked' || r.state === 'carrying' ? (
        <Steps request={r} close={close} />
      ) : null}
      {r.state === 'received' || r.state === 'asked' ? <Answer request={r} close={close} /> : null}
      {r.letter ? <Letter id={r.id} letter={r.letter} digest={r.letter_sha256} /> : null}
    </div>
  );
}

/** What can be done with a request before and after the answer. */
function Steps({ request: r, close }: { request: RightsCase; close: () => void }) {
  const { t } = useTranslation();
  const act = useChange((send: () => Promise<unknown>) => send(), stale);
  const run = (send: () => Promise<unknown>) => act.mutate(send, { onSuccess: close });
  const file = r.kind === 'copy' || r.kind === 'port';
  return (
    <div className="stack">
      <div className="row">
        {r.state === 'received' ? (
          <Button onClick={() => run(() => api.admin.askIdentity(r.id))}>{t('desk.ask_identity')}</Button>
        ) : null}
        {r.state === 'asked' ? (
          <Button onClick={() => run(() => api.admin.identified(r.id))}>{t('desk.identified')}</Button>
        ) : null}
        {r.state === 'carrying' && !file ? (
          <Button type="primary" onClick={() => run(() => api.admin.carried(r.id))}>
            {t('desk.carried')}
          </Button>
        ) : null}
        {r.kind === 'question' && worded.includes(r.channel) && r.state !== 'carrying' ? (
          <Select
            aria-label={t('desk.classify')}
            placeholder={t('desk.classify')}
            style={{ minWidth: 200 }}
            options={kinds.map((k) => ({ value: k, label: t(`rights.kind_${k}`) }))}
            onChange={(k: LinkedRequest['kind']) => run(() => api.admin.classify(r.id, k))}
          />
        ) : null}
        {!r.special && r.state !== 'carrying' ? (
          <Select
            aria-label={t('desk.extend')}
            placeholder={t('desk.extend')}
            style={{ minWidth: 180 }}
            options={specials.map((s) => ({ value: s, label: t(`rights.special_${s}`) }))}
            onChange={(s: (typeof specials)[number]) => run(() => api.admin.extend(r.id, s))}
          />
        ) : null}
      </div>
      <ProblemAlert error={act.error} />
    </div>
  );
}

/** What somebody who died arranged comes before what relatives ask for (PIPL 49). */
function Died({ id }: { id: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [name, setName] = useState('');
  const look = useChange(() => api.admin.arrangement(id, name));
  return (
    <div className="stack">
      <div className="row">
        <Input
          aria-label={t('desk.died')}
          placeholder={t('desk.died')}
          style={{ width: 240 }}
          maxLength={64}
          value={name}
          onChange={(e) => setName(e.target.value)}
        />
        <Button disabled={!name.trim()} loading={look.isPending} onClick={() => look.mutate(undefined)}>
          {t('desk.arrangement')}
        </Button>
      </div>
      {look.data ? (
        <Alert
          type="info"
          showIcon
          title={t('rights.death_at', { at: format.time(look.data.at) })}
          description={<p className="prewrap">{look.data.words}</p>}
        />
      ) : null}
      <ProblemAlert error={look.error} />
    </div>
  );
}

/** The decision with what the law wants in it, and the letter before it goes. */
function Answer({ request: r, close }: { request: RightsCase; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<RightsAnswer>();
  const decision = Form.useWatch('decision', form);
  const less = decision !== undefined && decision !== 'granted';
  const told = r.kind === 'explain' || r.kind === 'question' || r.kind === 'complaint';
  const preview = useChange((a: RightsAnswer) => api.admin.previewLetter(r.id, a));
  const send = useChange((a: RightsAnswer) => api.admin.answer(r.id, a), stale);
  const checked = (then: (a: RightsAnswer) => void) => () => void form.validateFields().then(then, () => {});
  return (
    <section aria-label={t('desk.answer')}>
      <h3>{t('desk.answer')}</h3>
      <Form form={form} layout="vertical" initialValues={{ remedies: [...remedies] }}>
        <Form.Item name="decision" label={t('desk.decision')} rules={[{ required: true }]}>
          <Radio.Group
            optionType="button"
            options={(['granted', 'partial', 'refused'] as const).map((d) => ({
              value: d,
              label: t(`desk.decision_${d}`),
              disabled: r.state === 'asked' && d !== 'refused',
            }))}
          />
        </Form.Item>
        {less ? (
          <>
            <Form.Item name="reason" label={t('desk.reason')} rules={[{ required: true }]}>
              <Select options={reasons.map((c) => ({ value: c, label: t(`desk.reason_${c}`) }))} />
            </Form.Item>
            <Form.Item name="law" label={t('desk.law')} rules={[{ required: true }]}>
              <Select options={laws.map((c) => ({ value: c, label: c }))} />
            </Form.Item>
            <Form.Item name="remedies" label={t('desk.remedies')}>
              <Checkbox.Group
                options={remedies.map((c) => ({
                  value: c,
                  label: t(`desk.remedy_${c}`),
                  disabled: c === 'court',
                }))}
              />
            </Form.Item>
          </>
        ) : null}
        <Form.Item
          name="words"
          label={t('desk.words')}
          rules={[{ required: told && !(decision === 'refused') }]}
        >
          <Input.TextArea rows={4} maxLength={4000} showCount />
        </Form.Item>
      </Form>
      <ProblemAlert error={preview.error ?? send.error} />
      {preview.data ? <Letter id={r.id} letter={preview.data.letter} /> : null}
      <div className="row">
        <Button loading={preview.isPending} onClick={checked((a) => preview.mutate(a))}>
          {t('desk.preview')}
        </Button>
        <Button
          type="primary"
          danger={less}
          disabled={!preview.data}
          loading={send.isPending}
          onClick={checked((a) => send.mutate(a, { onSuccess: close }))}
        >
          {t('desk.send')}
        </Button>
      </div>
    </section>
  );
}

/** A request that arrived by phone or on paper. */
function Take() {
  const { t } = useTranslation();
  const [shown, show, hide] = useToggle();
  const [form] = Form.useForm<TakenRequest>();
  const take = useCreate((r: TakenRequest, key: string) => api.admin.takeRequest(r, key), stale);
  return (
    <>
      <Button type="primary" onClick={show}>
        {t('desk.take')}
      </Button>
      <Modal
        open={shown}
        title={t('desk.take')}
        okText={t('desk.take')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: take.isPending }}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => {
          form.resetFields();
          take.reset();
        }}
        destroyOnHidden
      >
        <p>{t('desk.take_text')}</p>
        <Form
          form={form}
          layout="vertical"
          initialValues={{ channel: 'phone' }}
          onFinish={(r) => take.mutate(r, { onSuccess: hide })}
        >
          <Form.Item name="channel" label={t('desk.channel')}>
            <Radio.Group
              options={(['phone', 'letter'] as const).map((c) => ({
                value: c,
                label: t(`rights.channel_${c}`),
              }))}
            />
          </Form.Item>
          <Form.Item name="user_name" label={t('desk.user')} rules={[{ required: true }]}>
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
          <RequestFields label={t('rights.kind')} />
        </Form>
        <ProblemAlert error={take.error} />
      </Modal>
    </>
  );
}
