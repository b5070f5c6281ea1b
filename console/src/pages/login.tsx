import { useState } from 'react';
import { Button, Checkbox, Form, Input } from 'antd';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Problem } from '../api/http';
import type { Login as Entry } from '../api/types';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { localPath } from '../lib/local-path';

// The password was right and a second factor is asked for.
const codeNeeded = 'account.second_factor_required';

/** Sign-in in one step, or two where the account has a second factor. */
export function Login() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [first, setFirst] = useState<Entry>();
  const login = useMutation({
    mutationFn: api.account.login,
    onSuccess: async () => {
      await client.resetQueries({ queryKey: ['me'] });
      await navigate(localPath(params.get('next')), { replace: true });
    },
    onError: (error, entry) => {
      if (error instanceof Problem && error.code === codeNeeded) setFirst(entry);
    },
  });
  const asked = login.error instanceof Problem && login.error.code === codeNeeded;
  const problem = asked ? null : <ProblemAlert error={login.error} />;

  if (first) {
    return (
      <GateLayout title={t('login.code_title')} lead={t('login.code_lead')}>
        <CodeForm
          busy={login.isPending}
          problem={problem}
          submit={(code) => login.mutate({ ...first, code })}
          back={() => {
            setFirst(undefined);
            login.reset();
          }}
        />
      </GateLayout>
    );
  }
  return (
    <GateLayout
      title={t('login.title')}
      lead={
        <>
          {t('login.new_here')} <Link to="/register">{t('login.register')}</Link>
        </>
      }
    >
      <PasswordForm busy={login.isPending} problem={problem} submit={login.mutate} />
    </GateLayout>
  );
}

interface PasswordFormProps {
  busy: boolean;
  problem: React.ReactNode;
  submit: (entry: Entry) => void;
}

function PasswordForm({ busy, problem, submit }: PasswordFormProps) {
  const { t } = useTranslation();
  return (
    <Form<Entry>
      layout="vertical"
      size="large"
      requiredMark={false}
      initialValues={{ remember: false }}
      onFinish={submit}
    >
      <Form.Item
        name="user_name"
        label={t('field.user_name')}
        rules={[{ required: true, message: t('field.required') }]}
      >
        <Input autoComplete="username" autoCapitalize="none" spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('field.password')}
        rules={[{ required: true, message: t('field.required') }]}
      >
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <div className="spread" style={{ marginBottom: 20 }}>
        <Form.Item name="remember" valuePropName="checked" noStyle>
          <Checkbox>{t('login.remember')}</Checkbox>
        </Form.Item>
        <Link to="/password-reset">{t('login.forgot')}</Link>
      </div>
      <div className="stack">
        {problem}
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t('login.submit')}
        </Button>
        <p className="small quiet" style={{ margin: 0 }}>
          {t('login.cookies')}
        </p>
        <Link to="/vpn-user">{t('user.from_login')}</Link>
      </div>
    </Form>
  );
}

interface CodeFormProps {
  busy: boolean;
  problem: React.ReactNode;
  submit: (code: string) => void;
  back: () => void;
}

function CodeForm({ busy, problem, submit, back }: CodeFormProps) {
  const { t } = useTranslation();
  return (
    <Form<{ code: string }>
      layout="vertical"
      size="large"
      requiredMark={false}
      onFinish={(v) => submit(v.code.replaceAll(' ', ''))}
    >
      <Form.Item
        name="code"
        label={t('field.code')}
        rules={[{ required: true, message: t('field.required') }]}
        extra={t('login.code_recovery')}
      >
        <Input className="mono" autoFocus autoComplete="one-time-code" inputMode="text" maxLength={40} />
      </Form.Item>
      <div className="stack">
        {problem}
        <Button type="primary" htmlType="submit" block loading={busy}>
          {t('login.submit')}
        </Button>
        <Button type="link" onClick={back}>
          {t('login.other_account')}
        </Button>
      </div>
    </Form>
  );
}
