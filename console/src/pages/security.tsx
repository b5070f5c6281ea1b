import { Alert, Button, Card, Form, Input } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { LoginEntry, LoginSession } from '../api/types';
import { ChangeEmail } from '../components/change-email';
import { CloseAccount } from '../components/close-account';
import { ConfirmDelete } from '../components/confirm-delete';
import { Facts } from '../components/facts';
import { OptionalContact } from '../components/optional-contact';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { SecondFactor } from '../components/second-factor';
import { useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

export function Security() {
  const { t } = useTranslation();
  const me = useMe();
  // Each reading of the address is noted, so only this page asks for it.
  const contact = useQuery({ queryKey: ['contact'], queryFn: api.account.contact, staleTime: Infinity });
  return (
    <Page title={t('nav.security')} lead={t('security.lead')}>
      {me.enrol_totp ? <Alert type="warning" showIcon title={t('security.enrol_first')} /> : null}
      <Card title={t('security.profile')}>
        <Facts
          columns={2}
          facts={[
            { label: t('field.user_name'), value: me.user_name },
            { label: t('field.email'), value: contact.data?.email ?? '–' },
            {
              label: t('security.email_verified'),
              value: <StateDot kind="flag" state={me.email_verified ? 'yes' : 'no'} />,
            },
            { label: t('security.totp'), value: <StateDot kind="flag" state={me.totp ? 'yes' : 'no'} /> },
          ]}
        />
      </Card>
      <ChangeEmail />
      {me.staff ? null : <OptionalContact />}
      <SecondFactor />
      <Password />
      <Card title={t('security.sessions')}>
        <Sessions />
      </Card>
      <Card title={t('security.history')}>
        <History />
      </Card>
      {me.staff ? null : <CloseAccount />}
    </Page>
  );
}

interface Change {
  current: string;
  next: string;
}

function Password() {
  const { t } = useTranslation();
  const [form] = Form.useForm<Change>();
  const change = useChange(
    async (in_: Change) => {
      await api.account.changePassword(in_.current, in_.next);
      form.resetFields();
    },
    [['login-sessions']],
  );
  return (
    <Card title={t('security.password')}>
      <Form<Change>
        form={form}
        layout="vertical"
        requiredMark={false}
        style={{ maxWidth: 420 }}
        onFinish={change.mutate}
      >
        <Form.Item
          name="current"
          label={t('field.current_password')}
          rules={[{ required: true, message: t('field.required') }]}
        >
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item
          name="next"
          label={t('field.new_password')}
          extra={t('field.password_rule')}
          rules={[{ required: true, min: 10, message: t('field.password_rule') }]}
        >
          <Input.Password autoComplete="new-password" maxLength={256} />
        </Form.Item>
        <div className="stack">
          <ProblemAlert error={change.error} />
          {change.isSuccess ? <Alert type="success" showIcon title={t('security.password_done')} /> : null}
          <div>
            <Button type="primary" htmlType="submit" loading={change.isPending}>
              {t('security.password_change')}
            </Button>
          </div>
        </div>
      </Form>
    </Card>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ResourceTable<LoginSession>
      label={t('security.sessions')}
      queryKey={['login-sessions']}
      load={api.account.sessions}
      rowKey={(s) => s.id}
      nameTitle={t('security.device')}
      nameText={(s) => `${s.browser} ${s.os}`}
      name={(s) => (
        <span>
          {s.browser} · {s.os} {s.current ? <b>({t('security.this_device')})</b> : null}
        </span>
      )}
      columns={[
        {
          key: 'ip',
          title: t('security.ip'),
          cell: (s) => <span className="mono">{s.ip}</span>,
          text: (s) => s.ip,
        },
        {
          key: 'seen',
          title: t('security.last_seen'),
          cell: (s) => format.time(s.last_seen_at),
          text: (s) => s.last_seen_at,
        },
        {
          key: 'since',
          title: t('security.since'),
          cell: (s) => format.time(s.created_at),
          text: (s) => s.created_at,
        },
        {
          key: 'mfa',
          title: t('security.totp'),
          cell: (s) => <StateDot kind="flag" state={s.mfa ? 'yes' : 'no'} />,
        },
        {
          key: 'remembered',
          title: t('security.remembered'),
          cell: (s) => (s.remembered_until ? format.time(s.remembered_until) : '–'),
          text: (s) => s.remembered_until ?? '',
        },
      ]}
      empty={{ title: t('table.no_match') }}
      actions={(s) =>
        s.current ? null : (
          <ConfirmDelete
            small
            name={`${s.browser} ${s.os}`}
            label={t('security.revoke')}
            loss={t('security.revoke_text')}
            remove={() => api.account.revokeSession(s.id)}
            stale={[['login-sessions']]}
          />
        )
      }
    />
  );
}

function History() {
  const { t } = useTranslation();
  const format = useFormat();
  const method = (e: LoginEntry) => t(`login.method_${e.method}`, { defaultValue: e.method });
  return (
    <ResourceTable<LoginEntry>
      label={t('security.history')}
      queryKey={['login-log']}
      load={api.account.loginLog}
      rowKey={(e) => e.id ?? `${e.at} ${e.ip} ${e.outcome}`}
      nameTitle={t('security.time')}
      nameText={(e) => e.at}
      name={(e) => <span className="num">{format.time(e.at, true)}</span>}
      columns={[
        {
          key: 'outcome',
          title: t('security.outcome'),
          cell: (e) => <StateDot kind="login" state={e.outcome} />,
          text: (e) => e.outcome,
        },
        { key: 'method', title: t('security.method'), cell: method, text: method },
        {
          key: 'ip',
          title: t('security.ip'),
          cell: (e) => <span className="mono">{e.ip}</span>,
          text: (e) => e.ip,
        },
        {
          key: 'device',
          title: t('security.device'),
          cell: (e) => `${e.browser} · ${e.os}`,
          text: (e) => `${e.browser} ${e.os}`,
        },
      ]}
      csv="login-history"
      empty={{ title: t('security.no_history') }}
    />
  );
}
