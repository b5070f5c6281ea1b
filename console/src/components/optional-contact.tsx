// What a person may add: each with its own notice, its own act, and its own way back.

import { Button, Card, Form, Input } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { OptionalContact as Own } from '../api/types';
import { useChange } from '../lib/use';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { Phone } from './optional-phone';
import { ErrorState, ProblemAlert } from './problem';

const own = ['optional-contact'];

type Values = Record<string, string>;

interface Part {
  name: 'qq' | 'region';
  fields: { name: string; max: number }[];
  now: (c: Own) => string;
  save: (values: Values, token: string) => Promise<unknown>;
  remove: () => Promise<unknown>;
}

const parts: Part[] = [
  {
    name: 'qq',
    fields: [{ name: 'qq', max: 11 }],
    now: (c) => c.qq,
    save: (v, consent_token) => api.account.setQQ({ qq: v.qq ?? '', consent_token }),
    remove: () => api.account.removeQQ(),
  },
  {
    name: 'region',
    fields: [
      { name: 'country', max: 2 },
      { name: 'province', max: 40 },
      { name: 'city', max: 40 },
    ],
    now: (c) => [c.country, c.province, c.city].filter(Boolean).join(' · '),
    save: (v, consent_token) =>
      api.account.setPlace({ country: v.country, province: v.province, city: v.city, consent_token }),
    remove: () => api.account.removePlace(),
  },
];

export function OptionalContact() {
  const { t } = useTranslation();
  // Each reading is noted, so only this page asks for it.
  const mine = useQuery({ queryKey: own, queryFn: api.account.optionalContact, staleTime: Infinity });
  return (
    <Card title={t('optional.title')}>
      <div className="stack">
        <p>{t('optional.lead')}</p>
        {mine.isError ? <ErrorState error={mine.error} retry={() => void mine.refetch()} /> : null}
        {mine.data ? <Phone mine={mine.data} /> : null}
        {mine.data ? parts.map((p) => <Added key={p.name} part={p} mine={mine.data} />) : null}
      </div>
    </Card>
  );
}

function Added({ part, mine }: { part: Part; mine: Own }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const now = part.now(mine);
  const remove = useChange(part.remove, [own, ['consents']]);
  return (
    <section className="stack" style={{ gap: 8 }} aria-label={t(`optional.${part.name}`)}>
      <div>
        <b>{t(`optional.${part.name}`)}</b>: {now || t('optional.none')}
      </div>
      <div>{t(`optional.${part.name}_why`)}</div>
      <ProblemAlert error={remove.error} />
      {adding ? <Add part={part} done={() => setAdding(false)} /> : null}
      <div style={{ display: 'flex', gap: 8 }}>
        {adding ? (
          <Button onClick={() => setAdding(false)}>{t('optional.close')}</Button>
        ) : (
          <Button onClick={() => setAdding(true)}>{t(now ? 'optional.change' : 'optional.add')}</Button>
        )}
        {now && !adding ? (
          <Button danger loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('optional.remove')}
          </Button>
        ) : null}
      </div>
    </section>
  );
}

function Add({ part, done }: { part: Part; done: () => void }) {
  const { t } = useTranslation();
  const [consent, setConsent] = useState(noConsent);
  const prompt = usePrompt(`contact.${part.name}`);
  const save = useChange(
    async (values: Values) => {
      await part.save(values, prompt.data?.token ?? '');
      done();
    },
    [own, ['consents']],
  );
  return (
    <Form<Values> layout="vertical" requiredMark={false} style={{ maxWidth: 420 }} onFinish={save.mutate}>
      {part.fields.map((f) => (
        <Form.Item key={f.name} name={f.name} label={t(`optional.${f.name}`)}>
          <Input maxLength={f.max} autoComplete="off" />
        </Form.Item>
      ))}
      <div className="stack">
        <ConsentAct prompt={prompt} value={consent} onChange={setConsent} />
        <ProblemAlert error={save.error} />
        <div>
          <Button
            type="primary"
            htmlType="submit"
            disabled={!complete(prompt.data, consent)}
            loading={save.isPending}
          >
            {t('optional.save')}
          </Button>
        </div>
      </div>
    </Form>
  );
}
