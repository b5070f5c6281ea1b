import { useState } from 'react';
import { Button, Form, Input, Result } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Problem } from '../api/http';
import { complete, ConsentAct, noConsent, usePrompt } from '../components/consent-act';
import { GateLayout } from '../components/gate-layout';
import { PersonalFieldHint } from '../components/personal-field-hint';
import { ProblemAlert } from '../components/problem';
import { useCreate } from '../lib/use';

interface Entry {
  user_name: string;
  email: string;
  password: string;
}

/** Three fields and one explicit act; nothing else is asked. */
export function Register() {
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
          adult: consent.adult,
          crossborder_token: abroad.data?.token,
        },
        key,
      )
      // The act's token is used up or out of date: the next try needs another.
      .catch(async (error: unknown) => {
        await Promise.all([prompt.refetch(), abroad.refetch()]);
        throw error;
      }),
  );
  if (register.isSuccess) return <Registered email={register.variables.email} />;
  return (
    <GateLayout
      title={t('register.title')}
      lead={
        <>
          {t('register.have_account')} <Link to="/login">{t('login.submit')}</Link>
        </>
      }
    >
      <Form<Entry>
        layout="vertical"
        size="large"
        requiredMark={false}
        onFinish={(v) => register.mutate({ user_name: v.user_name, email: v.email, password: v.password })}
      >
        <Fields />
        <div className="stack">
          <ConsentAct prompt={prompt} value={consent} onChange={setConsent} notice={false} />
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
    </GateLayout>
  );
}

/** Only some profiles store data in another jurisdiction; the others have no such prompt. */
function absent(error: unknown): boolean {
  return error instanceof Problem && (error.status === 403 || error.status === 404);
}

function Fields() {
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

function Registered({ email }: { email: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <GateLayout title={t('register.done_title')}>
      <Result
        status="success"
        style={{ padding: 0 }}
        subTitle={t('register.done_text', { email })}
        extra={
          <Button type="primary" size="large" onClick={() => void navigate('/login')}>
            {t('login.submit')}
          </Button>
        }
      />
    </GateLayout>
  );
}
