// Asks the person for a proof when the API wants a fresh one for a sensitive act, and lets the act go on.

import { useEffect, useState } from 'react';
import { Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { askStepUpWith } from '../api/http';
import type { Proof } from '../api/types';
import { useMe } from '../lib/session';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

type Answer = (given: boolean) => void;

export function StepUp() {
  const [answer, setAnswer] = useState<{ give: Answer }>();
  useEffect(() => {
    askStepUpWith(() => new Promise<boolean>((give) => setAnswer({ give })));
    return () => askStepUpWith(undefined);
  }, []);
  if (!answer) return null;
  return (
    <Asking
      done={(given) => {
        setAnswer(undefined);
        answer.give(given);
      }}
    />
  );
}

function Asking({ done }: { done: Answer }) {
  const { t } = useTranslation();
  const me = useMe();
  const [form] = Form.useForm<Proof>();
  const prove = useChange(async (proof: Proof) => {
    await api.account.stepUp(proof);
    done(true);
  });
  const required = [{ required: true, message: t('field.required') }];
  return (
    <Modal
      open
      title={t('stepup.title')}
      okText={t('stepup.confirm')}
      okButtonProps={{ loading: prove.isPending }}
      onOk={() => form.submit()}
      onCancel={() => done(false)}
    >
      <Form<Proof> form={form} layout="vertical" requiredMark={false} onFinish={prove.mutate}>
        <p>{t('stepup.text')}</p>
        {me.totp ? (
          <Form.Item name="code" label={t('field.code')} rules={required}>
            <Input className="mono" autoComplete="one-time-code" />
          </Form.Item>
        ) : (
          <Form.Item name="password" label={t('field.current_password')} rules={required}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
        )}
        <ProblemAlert error={prove.error} />
      </Form>
    </Modal>
  );
}
