import { useState } from 'react';
import { Button, Form, Input, Result } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AgeGroup } from '../api/types';
import { absent } from '../components/abroad';
import { complete, ConsentAct, noConsent, usePrompt } from '../components/consent-act';
import { GateLayout } from '../components/gate-layout';
import { MinorChoice } from '../components/minor';
import { PersonalFieldHint } from '../components/personal-field-hint';
import { ProblemAlert } from '../components/problem';
import { useCreate } from '../lib/use';

export interface Entry {
  user_name: string;
  email: string;
  password: string;
}

/** Three fields and one explicit act; an adult's sentence states the age, minors say their group first. */
export function Register() {
  const { t } = useTranslation();
  const [minor, setMinor] = useState(false);
  const [group, setGroup] = useState<AgeGroup>();
  const [done, setDone] = useState('');
  if (done) return <Registered email={done} waiting={group?.rule === 'written'} />;
  const open = !minor || group?.rule === 'screen' || group?.rule === 'written';
  return (
    <GateLayout
      title={t('register.title')}
      lead={
        <>
          {t('register.have_account')} <Link to="/login">{t('login.submit')}</Link>
        </>
      }
    >
      <div className="stack">
        {minor ? <MinorChoice value={group} onChange={setGroup} /> : null}
        {open ? <RegisterForm group={minor ? group : undefined} done={setDone} /> : null}
        <Button
          type="link"
          style={{ padding: 0, alignSelf: 'start' }}
          onClick={() => {
            setGroup(undefined);
            setMinor(!minor);
          }}
        >
          {t(minor ? 'minor.adult_link' : 'minor.link')}
        </Button>
      </div>
    </GateLayout>
  );
}

function RegisterForm({ group, done }: { group: AgeGroup | undefined; done: (email: string) => void }) {
  const { t } = useTranslation();
  const prompt = usePrompt('platform_policy');
  const [consent, setConsent] = useState(noConsent);
  const abroad = usePrompt('crossborder.platform');
  const asked = !absent(abroad.error);
  const [transfer, setTransfer] = useState(noConsent);
  const register = useCreate((in_: Entry, key) =>
    api.account
      .register(
        {
          ...in_,
          consent_token: prompt.data?.token ?? '',
          ...(group ? { age_group: group.age_group } : { adult: true }),
          crossborder_token: abroad.data?.token,
        },
        key,
      )
      .then(() => done(in_.email))
      // The act's token is used up or out of date: the next try needs another.
      .catch(async (error: unknown) => {
        await Promise.all([prompt.refetch(), abroad.refetch()]);
        throw error;
      }),
  );
  return (
    <Form<Entry>
      layout="vertical"
      size="large"
      requiredMark={false}
      onFinish={(v) => register.mutate({ user_name: v.user_name, email: v.email, password: v.password })}
    >
      <Fields />
      <div className="stack">
        <ConsentAct
          prompt={prompt}
          value={consent}
          onChange={setConsent}
          notice={false}
          minor={Boolean(group)}
        />
        {asked ? <ConsentAct prompt={abroad} value={transfer} onChange={setTransfer} /> : null}
        <ProblemAlert error={register.error} />
        <Button
          type="primary"
          htmlType="submit"
          block
          loading={register.isPending}
          disabled={!complete(prompt.data, consent) || (asked && !complete(abroad.data, transfer))}
        >
          {t('register.submit')}
        </Button>
      </div>
    </Form>
  );
}

/** What an account needs, and nothing more. */
export function Fields() {
  const { t } = useTranslation();
  const required = { required: true, message: t('field.required') };
  return (
    <>
      <Form.Item
        name="user_name"
        label={t('field.user_name')}
        rules={[
          required,
          { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$/, message: t('field.user_name_rule') },
        ]}
        extra={<PersonalFieldHint field="user_name" />}
      >
        <Input autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={32} />
      </Form.Item>
      <Form.Item
        name="email"
        label={t('field.email')}
        rules={[required, { type: 'email', message: t('field.email_rule') }]}
        extra={<PersonalFieldHint field="email" />}
      >
        <Input type="email" autoComplete="email" maxLength={254} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('field.password')}
        rules={[required, { min: 10, message: t('field.password_rule') }]}
        extra={t('field.password_rule')}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
    </>
  );
}

function Registered({ email, waiting }: { email: string; waiting: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <GateLayout title={t('register.done_title')}>
      <Result
        status="success"
        style={{ padding: 0 }}
        subTitle={t(waiting ? 'minor.done_waiting' : 'register.done_text', { email })}
        extra={
          <Button type="primary" size="large" onClick={() => void navigate('/login')}>
            {t('login.submit')}
          </Button>
        }
      />
    </GateLayout>
  );
}
