// The page of a VPN user's rights: signed in to with the credentials of the VPN, without the administrator
// and without an account of the console.

import { useState } from 'react';
import { Alert, Button, Card, Form, Input, Skeleton, Tabs, Tag } from 'antd';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Problem } from '../api/http';
import type { Read, VPNSession, VPNUserAct, VPNUserEntry, VPNUserLogin, VPNUserProfile } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { GateLayout } from '../components/gate-layout';
import { IncidentNotices } from '../components/incident-notices';
import { MyHoldings } from '../components/my-holdings';
import { MyRequests } from '../components/my-requests';
import { useTitle } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { Reading } from '../components/reading';
import { ResourceTable } from '../components/resource-table';
import { RightsOf, userRights } from '../lib/rights';
import { useShown } from '../lib/shown';
import { useChange, useFormat } from '../lib/use';

const profileKey = ['vpn-user', 'profile'];

export function VPNUser() {
  const client = useQueryClient();
  const profile = useQuery({ queryKey: profileKey, queryFn: api.vpnUser.profile, retry: false });
  // What one person saw is nobody else's, not even for a moment.
  const enter = () => void client.resetQueries();
  if (profile.isPending) return <Skeleton active className="paper" />;
  if (profile.isError && (!(profile.error instanceof Problem) || profile.error.status !== 401))
    return <ErrorState error={profile.error} retry={() => void profile.refetch()} />;
  if (profile.isError) return <Enter done={enter} />;
  return (
    <RightsOf value={userRights}>
      <Inside profile={profile.data} left={enter} />
    </RightsOf>
  );
}

function Enter({ done }: { done: () => void }) {
  const { t } = useTranslation();
  const [query] = useSearchParams();
  const [server, setServer] = useState(query.get('server') ?? '');
  const [asked, setAsked] = useState<VPNUserEntry>();
  const [byKey, setByKey] = useState(false);
  const go = useChange(async (body: Omit<VPNUserLogin, 'server'> & { server?: string }) => {
    const at = body.server ?? server;
    setServer(at);
    const entry = await api.vpnUser.enter({ ...body, server: at });
    if (entry.signed_in) done();
    else setAsked(entry);
  });
  const again = () => {
    go.reset();
    setAsked(undefined);
  };
  const problem = <ProblemAlert error={go.error} />;
  if (asked && !go.isError)
    return (
      <GateLayout title={t('user.title')} lead={t(`user.asks_${asked.asks}`)}>
        <Answer
          entry={asked}
          busy={go.isPending}
          submit={(answer) => go.mutate({ conversation: asked.conversation, answer })}
          back={again}
        />
      </GateLayout>
    );
  return (
    <GateLayout title={t('user.title')} lead={t('user.lead')}>
      {byKey ? (
        <KeyForm server={server} busy={go.isPending} problem={problem} submit={go.mutate} />
      ) : (
        <PasswordForm server={server} busy={go.isPending} problem={problem} submit={go.mutate} />
      )}
      <Button type="link" block onClick={() => setByKey(!byKey)}>
        {t(byKey ? 'user.by_password' : 'user.by_key')}
      </Button>
    </GateLayout>
  );
}

interface FormProps {
  server: string;
  busy: boolean;
  problem: React.ReactNode;
  submit: (body: VPNUserLogin) => void;
}

function ServerField() {
  const { t } = useTranslation();
  return (
    <Form.Item
      name="server"
      label={t('user.server')}
      extra={t('user.server_text')}
      rules={[{ required: true, message: t('field.required') }]}
    >
      <Input className="mono" autoCapitalize="none" spellCheck={false} maxLength={300} />
    </Form.Item>
  );
}

function PasswordForm({ server, busy, problem, submit }: FormProps) {
  const { t } = useTranslation();
  const needed = [{ required: true, message: t('field.required') }];
  return (
    <Form<VPNUserLogin> layout="vertical" requiredMark={false} initialValues={{ server }} onFinish={submit}>
      <ServerField />
      <Form.Item name="user_name" label={t('user.name')} rules={needed}>
        <Input autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={256} />
      </Form.Item>
      <Form.Item name="password" label={t('user.password')} rules={needed}>
        <Input.Password autoComplete="current-password" maxLength={256} />
      </Form.Item>
      <div className="stack">
        {problem}
        <Button type="primary" size="large" htmlType="submit" block loading={busy}>
          {t('login.submit')}
        </Button>
        <p className="small quiet">{t('user.session_text')}</p>
      </div>
    </Form>
  );
}

/** Where a certificate alone signs in: its key signs a text that is used once. */
function KeyForm({ server, busy, problem, submit }: FormProps) {
  const { t } = useTranslation();
  const text = useChange(() => api.vpnUser.challenge());
  const challenge = text.data?.challenge ?? '';
  if (!challenge)
    return (
      <div className="stack">
        <span>{t('user.key_lead')}</span>
        <ProblemAlert error={text.error} />
        <Button
          type="primary"
          size="large"
          block
          loading={text.isPending}
          onClick={() => text.mutate(undefined)}
        >
          {t('user.key_start')}
        </Button>
      </div>
    );
  const needed = [{ required: true, message: t('field.required') }];
  return (
    <Form<VPNUserLogin>
      layout="vertical"
      requiredMark={false}
      initialValues={{ server }}
      onFinish={(v) => submit({ ...v, challenge })}
    >
      <div className="stack" style={{ marginBottom: 16 }}>
        <span>{t('user.key_command')}</span>
        <CopyText
          text={`printf %s '${challenge}' | openssl dgst -sha256 -sign key.pem | openssl base64 -A`}
          wrap
        />
      </div>
      <ServerField />
      <Form.Item name="certificate_pem" label={t('user.key_certificate')} rules={needed}>
        <Input.TextArea className="mono" rows={4} spellCheck={false} />
      </Form.Item>
      <Form.Item name="signature" label={t('user.key_signature')} rules={needed}>
        <Input.TextArea className="mono" rows={2} spellCheck={false} />
      </Form.Item>
      <div className="stack">
        {problem}
        <Button type="primary" size="large" htmlType="submit" block loading={busy}>
          {t('login.submit')}
        </Button>
      </div>
    </Form>
  );
}

interface AnswerProps {
  entry: VPNUserEntry;
  busy: boolean;
  submit: (answer: string) => void;
  back: () => void;
}

function Answer({ entry, busy, submit, back }: AnswerProps) {
  const { t } = useTranslation();
  const secret = entry.asks === 'password';
  return (
    <Form<{ answer: string }>
      key={entry.conversation}
      layout="vertical"
      requiredMark={false}
      onFinish={(v) => submit(secret ? v.answer : v.answer.replaceAll(' ', ''))}
    >
      <Form.Item
        name="answer"
        label={secret ? t('user.password') : t('field.code')}
        rules={[{ required: true, message: t('field.required') }]}
      >
        <Input
          className="mono"
          autoFocus
          type={secret ? 'password' : 'text'}
          autoComplete={secret ? 'current-password' : 'one-time-code'}
        />
      </Form.Item>
      <div className="stack">
        {entry.wrong ? <Alert type="error" showIcon title={t('user.wrong')} /> : null}
        <Button type="primary" size="large" htmlType="submit" block loading={busy}>
          {t('login.submit')}
        </Button>
        <Button type="link" onClick={back}>
          {t('login.other_account')}
        </Button>
      </div>
    </Form>
  );
}

function Inside({ profile, left }: { profile: VPNUserProfile; left: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const leave = useChange(() => api.vpnUser.leave());
  const notices = useQuery({ queryKey: ['incident-notices'], queryFn: api.vpnUser.incidentNotices });
  const unread = notices.data?.items.filter((n) => !n.seen_at).length ?? 0;
  useTitle(t('user.title'));
  const tabs = [
    { key: 'profile', label: t('user.tab_profile'), children: <Profile profile={profile} /> },
    { key: 'data', label: t('user.tab_data'), children: <MyHoldings /> },
    { key: 'sessions', label: t('user.tab_sessions'), children: <Sessions /> },
    { key: 'acts', label: t('user.tab_acts'), children: <Acts /> },
    { key: 'requests', label: t('rights.requests'), children: <MyRequests /> },
    { key: 'incidents', label: t('user.tab_incidents'), children: <IncidentNotices /> },
  ];
  const [tab, setTab] = useState('profile');
  return (
    <Reading>
      <div className="stack">
        <div className="spread">
          <div>
            <h1>{t('user.title')}</h1>
            <p className="quiet">
              {t('user.inside', { name: profile.user_name, time: format.time(profile.session_ends_at) })}
            </p>
          </div>
          <Button loading={leave.isPending} onClick={() => leave.mutate(undefined, { onSettled: left })}>
            {t('user.sign_out')}
          </Button>
        </div>
        {unread > 0 ? (
          <Alert
            type="error"
            showIcon
            title={t('incident.banner')}
            action={
              <Button size="small" danger onClick={() => setTab('incidents')}>
                {t('incident.read')}
              </Button>
            }
          />
        ) : null}
        <Tabs activeKey={tab} onChange={setTab} items={tabs} destroyOnHidden />
      </div>
    </Reading>
  );
}

function Profile({ profile: p }: { profile: VPNUserProfile }) {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const cut = useChange(() => api.vpnUser.disconnect(), [profileKey, ['vpn-user', 'sessions']]);
  const [number, setNumber] = useState('');
  const fixed = [p.fixed_ip, p.fixed_ip6].filter(Boolean).join(', ');
  return (
    <div className="stack">
      <Card size="small">
        <Facts
          facts={[
            { label: t('user.name'), value: p.user_name },
            { label: t('common.state'), value: t(`user.state_${p.state}`) },
            { label: t('user.description'), value: p.description || '–' },
            { label: t('user.server'), value: p.host ? <CopyText text={p.host} /> : p.server },
            { label: t('user.gateway'), value: `${p.gateway} · ${p.server}` },
            { label: t('user.token'), value: p.token_kind ? t('user.token_set') : t('user.token_none') },
            { label: t('user.recovery'), value: format.number(p.recovery_left) },
            {
              label: t('user.certificate'),
              value: (
                <span>
                  <CopyText text={p.serial} shown={`${p.serial.slice(0, 12)}…`} />{' '}
                  {t('user.certificate_until', { date: format.date(p.not_after) })}
                </span>
              ),
            },
            { label: t('user.fixed'), value: fixed ? <span className="mono">{fixed}</span> : t('user.pool') },
            ...((p.routes?.length ?? 0) > 0
              ? [{ label: t('user.routes'), value: <span className="mono">{p.routes.join(', ')}</span> }]
              : []),
            { label: t('user.since'), value: format.time(p.created_at) },
            { label: t('user.live'), value: format.number(p.live_sessions) },
          ]}
        />
      </Card>
      <ProblemAlert error={cut.error} />
      <div className="row">
        <Button loading={cut.isPending} onClick={() => cut.mutate(undefined)}>
          {t('user.disconnect')}
        </Button>
      </div>
      <Devices />
      <p className="quiet">{t('user.reset_text')}</p>
      <section className="danger spread">
        <div>
          <b>{t('user.erase')}</b>
          <div className="quiet">{t('user.erase_text')}</div>
        </div>
        <ConfirmDelete
          typed
          name={p.user_name}
          label={t('user.erase_act')}
          loss={<p>{t('user.erase_loss')}</p>}
          remove={async () => setNumber((await api.vpnUser.erase(p.user_name)).erasure.id)}
          stale={[]}
        />
      </section>
      {number ? (
        <Alert
          type="success"
          showIcon
          title={t('user.erasing')}
          action={
            <Button size="small" onClick={() => void navigate(`/erasures/${number}`)}>
              {t('user.erasing_look')}
            </Button>
          }
        />
      ) : null}
    </div>
  );
}

function Devices() {
  const { t } = useTranslation();
  const format = useFormat();
  const devices = useQuery({ queryKey: ['vpn-user', 'devices'], queryFn: api.vpnUser.devices });
  if (!devices.data || devices.data.items.length === 0) return null;
  return (
    <Card size="small" title={t('user.devices')}>
      <div className="stack">
        {devices.data.items.map((d) => (
          <div key={d.id} className="spread">
            <span>
              {d.label || d.id} <Tag>{t(`user.device_${d.state}`)}</Tag>{' '}
              <span className="quiet num">{format.time(d.seen_at)}</span>
            </span>
            <ConfirmDelete
              small
              name={d.label || d.id}
              label={t('user.forget')}
              loss={<p>{t('user.forget_text')}</p>}
              remove={() => api.vpnUser.forgetDevice(d.id)}
              stale={[['vpn-user', 'devices']]}
            />
          </div>
        ))}
      </div>
    </Card>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ResourceTable<VPNSession>
      label={t('user.tab_sessions')}
      queryKey={['vpn-user', 'sessions']}
      load={api.vpnUser.sessions}
      rowKey={(s) => s.id}
      nameTitle={t('user.session_start')}
      nameText={(s) => s.started_at}
      name={(s) => <span className="num">{format.time(s.started_at, true)}</span>}
      columns={[
        {
          key: 'end',
          title: t('user.session_end'),
          cell: (s) => (
            <div>
              {s.ended_at ? format.time(s.ended_at, true) : t('user.session_live')}
              <div className="small quiet">{s.reason_text}</div>
            </div>
          ),
          text: (s) => s.ended_at ?? '',
        },
        {
          key: 'source',
          title: t('user.session_source'),
          cell: (s) => <span className="mono">{s.source_ip || '–'}</span>,
          text: (s) => s.source_ip,
        },
        {
          key: 'inner',
          title: t('user.session_inner'),
          cell: (s) => (
            <span className="mono">{[s.inner_ip, s.inner_ip6].filter(Boolean).join(' ') || '–'}</span>
          ),
          text: (s) => s.inner_ip,
        },
        {
          key: 'bytes',
          title: t('user.session_bytes'),
          cell: (s) => `${format.bytes(s.bytes_in)} / ${format.bytes(s.bytes_out)}`,
          text: (s) => `${s.bytes_in} ${s.bytes_out}`,
        },
      ]}
      csv="vpn-sessions"
      empty={{ title: t('user.sessions_none') }}
    />
  );
}

/** What administrators did with the account, and who read what. */
function Acts() {
  const { t } = useTranslation();
  const shown = useShown();
  const format = useFormat();
  return (
    <div className="stack">
      <ResourceTable<VPNUserAct>
        label={t('user.acts')}
        queryKey={['vpn-user', 'acts']}
        load={api.vpnUser.acts}
        rowKey={(a) => a.id}
        nameTitle={t('user.act')}
        nameText={(a) => t(`user.act_${a.kind}`)}
        name={(a) => t(`user.act_${a.kind}`)}
        columns={[
          {
            key: 'at',
            title: t('user.at'),
            cell: (a) => <span className="num">{format.time(a.at)}</span>,
            text: (a) => a.at,
          },
          { key: 'by', title: t('user.by'), cell: (a) => t(`user.by_${a.by}`), text: (a) => a.by },
          {
            key: 'why',
            title: t('user.reason'),
            cell: (a) => (
              <div>
                {a.reason ? t(`user.reason_${a.reason}`) : '–'}
                {a.words ? <div className="quiet prewrap">{a.words}</div> : null}
              </div>
            ),
            text: (a) => `${a.reason} ${a.words}`,
          },
        ]}
        csv="acts"
        empty={{ title: t('user.acts_none') }}
      />
      <ResourceTable<Read>
        label={t('user.reads')}
        queryKey={['vpn-user', 'reads']}
        load={api.vpnUser.reads}
        rowKey={(r) => r.id}
        nameTitle={t('user.at')}
        nameText={(r) => r.at}
        name={(r) => <span className="num">{format.time(r.at, true)}</span>}
        columns={[
          {
            key: 'by',
            title: t('user.by'),
            cell: (r) => t(`user.by_${r.reader}`),
            text: (r) => r.reader,
          },
          {
            key: 'fields',
            title: t('user.fields'),
            cell: (r) => shown.fields(r.fields),
            text: (r) => shown.fields(r.fields),
          },
          {
            key: 'reason',
            title: t('mydata.reason'),
            cell: (r) => shown.reason(r.reason),
            text: (r) => shown.reason(r.reason),
          },
        ]}
        csv="reads"
        empty={{ title: t('user.reads_none') }}
      />
    </div>
  );
}
