// A telephone number: its notice and act, the code that comes by SMS, and the way back.

import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { OptionalContact as Own } from '../api/types';
import { useChange, useFormat } from '../lib/use';
import { Abroad, useAbroad } from './abroad';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { ProblemAlert } from './problem';

const stale = [['optional-contact'], ['consents']];

export function Phone({ mine }: { mine: Own }) {
  const { t } = useTranslation();
  const { time } = useFormat();
  const [entering, setEntering] = useState(false);
  const remove = useChange(() => api.account.removePhone(), stale);
  const some = Boolean(mine.phone) || mine.phone_waiting;
  return (
    <section className="stack" style={{ gap: 8 }} aria-label={t('optional.phone')}>
      <div>
        <b>{t('optional.phone')}</b>: {mine.phone || t('optional.none')}
        {mine.phone && mine.phone_confirmed_at ? (
          <span> ({t('optional.confirmed_at', { at: time(mine.phone_confirmed_at) })})</span>
        ) : null}
      </div>
      <div>{t('optional.phone_why')}</div>
      {mine.phone_offered ? null : <div>{t('optional.phone_not_offered')}</div>}
      <ProblemAlert error={remove.error} />
      {entering ? <Enter done={() => setEntering(false)} /> : mine.phone_waiting ? <Confirm /> : null}
      <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>
        {entering ? (
          <Button onClick={() => setEntering(false)}>{t('optional.close')}</Button>
        ) : mine.phone_offered ? (
          <Button onClick={() => setEntering(true)}>
            {t(mine.phone_waiting ? 'optional.code_again' : mine.phone ? 'optional.change' : 'optional.add')}
          </Button>
        ) : null}
        {some && !entering ? (
          <Button danger loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('optional.remove')}
          </Button>
        ) : null}
      </div>
    </section>
  );
}

function Enter({ done }: { done: () => void }) {
  const { t } = useTranslation();
  const [consent, setConsent] = useState(noConsent);
  const prompt = usePrompt('contact.phone');
  const abroad = useAbroad('sms.aliyun');
  const ask = useChange(async ({ phone }: { phone: string }) => {
    await abroad.give();
    await api.account.askPhoneCode({ phone, consent_token: prompt.data?.token ?? '' });
    done();
  }, stale);
  return (
    <Form<{ phone: string }>
      layout="vertical"
      requiredMark={false}
      style={{ maxWidth: 420 }}
      onFinish={ask.mutate}
    >
      <Form.Item
        name="phone"
        label={t('optional.phone_number')}
        extra={t('optional.phone_form')}
        rules={[{ required: true, message: t('field.required') }]}
      >
        <Input type="tel" maxLength={24} autoComplete="tel" />
      </Form.Item>
      <div className="stack">
        <ConsentAct prompt={prompt} value={consent} onChange={setConsent} />
        <Abroad abroad={abroad} />
        <ProblemAlert error={ask.error} />
        <div>
          <Button
            type="primary"
            htmlType="submit"
            disabled={!complete(prompt.data, consent) || !abroad.ready}
            loading={ask.isPending}
          >
            {t('optional.send_code')}
          </Button>
        </div>
      </div>
    </Form>
  );
}

function Confirm() {
  const { t } = useTranslation();
  const confirm = useChange(({ code }: { code: string }) => api.account.confirmPhone(code.trim()), stale);
  return (
    <Form<{ code: string }>
      layout="vertical"
      requiredMark={false}
      style={{ maxWidth: 420 }}
      onFinish={confirm.mutate}
    >
      <p>{t('optional.code_sent')}</p>
      <Form.Item
        name="code"
        label={t('optional.code')}
        rules={[{ required: true, pattern: /^\s*\d{6}\s*$/, message: t('optional.code_form') }]}
      >
        <Input
          className="mono"
          inputMode="numeric"
          maxLength={8}
          autoComplete="one-time-code"
          style={{ maxWidth: 180 }}
        />
      </Form.Item>
      <div className="stack">
        <ProblemAlert error={confirm.error} />
        <div>
          <Button type="primary" htmlType="submit" loading={confirm.isPending}>
            {t('optional.confirm')}
          </Button>
        </div>
      </div>
    </Form>
  );
}
