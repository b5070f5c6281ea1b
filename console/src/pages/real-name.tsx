import { useState } from 'react';
import { Alert, Button, Card, Form, Input, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Verification } from '../api/types';
import { Abroad, useAbroad } from '../components/abroad';
import { complete, ConsentAct, noConsent, usePrompt } from '../components/consent-act';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { PersonalFieldHint } from '../components/personal-field-hint';
import { ErrorState, ProblemAlert } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { settling } from '../lib/states';
import { useCreate, useFormat } from '../lib/use';
import { validIDNumber } from '../lib/id-number';

export function useVerification() {
  return useQuery({
    queryKey: ['real-name'],
    queryFn: async () => (await api.realName.current()).items[0] ?? null,
    refetchInterval: (q) => (q.state.data && settling('realname', q.state.data.state) ? 2000 : false),
  });
}

/** States in which a person may hand in. */
const open = ['none', 'rejected', 'revoked'];

/** Needed for regions in mainland China and nowhere else. */
export function RealName() {
  const { t } = useTranslation();
  const current = useVerification();
  return (
    <Page title={t('nav.realname')} lead={t('realname.lead')}>
      {current.isPending ? <Skeleton active /> : null}
      {current.isError ? <ErrorState error={current.error} retry={() => void current.refetch()} /> : null}
      {current.data && current.data.state !== 'none' ? <Result verification={current.data} /> : null}
      {current.isSuccess && open.includes(current.data?.state ?? 'none') ? <Submit /> : null}
    </Page>
  );
}

function Result({ verification: v }: { verification: Verification }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('realname.result')}>
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="realname" state={v.state} /> },
          { label: t('realname.name'), value: v.masked_name || '–' },
          { label: t('realname.number'), value: <span className="mono">{v.masked_number || '–'}</span> },
          { label: t('realname.submitted'), value: format.time(v.submitted_at) },
          { label: t('realname.decided'), value: format.time(v.decided_at) },
        ]}
      />
      {v.reason ? (
        <Alert
          style={{ marginTop: 16 }}
          type="warning"
          showIcon
          title={t(`reason.${v.reason}`, { defaultValue: t('realname.failed') })}
          description={
            <span className="small">
              {t('error.quote')} <code className="mono">{v.reason}</code>
            </span>
          }
        />
      ) : null}
    </Card>
  );
}

interface Entry {
  name: string;
  number: string;
}

function Submit() {
  const { t } = useTranslation();
  const prompt = usePrompt('realname');
  const [consent, setConsent] = useState(noConsent);
  const abroad = useAbroad('idv.aliyun');
  const submit = useCreate(
    (in_: Entry, key) =>
      abroad
        .give()
        .then(() => api.realName.submit({ ...in_, consent_token: prompt.data?.token ?? '' }, key))
        // The acts' tokens are used up or out of date: the next try needs others.
        .catch(async (error: unknown) => {
          await Promise.all([prompt.refetch(), abroad.prompt.refetch()]);
          throw error;
        }),
    [['real-name'], ['me']],
  );
  const required = { required: true, message: t('field.required') };
  return (
    <Card title={t('realname.submit_title')}>
      <Form<Entry>
        layout="vertical"
        requiredMark={false}
        style={{ maxWidth: 640 }}
        onFinish={(v) => submit.mutate({ name: v.name.trim(), number: v.number.trim().toUpperCase() })}
      >
        <Form.Item name="name" label={t('realname.name')} rules={[required]}>
          <Input autoComplete="off" maxLength={50} />
        </Form.Item>
        <Form.Item
          name="number"
          label={t('realname.number')}
          rules={[
            required,
            {
              validator: (_, value: string) =>
                !value || validIDNumber(value.trim())
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('realname.number_rule'))),
            },
          ]}
          extra={<PersonalFieldHint field="real_name" />}
        >
          <Input className="mono" autoComplete="off" maxLength={18} inputMode="text" />
        </Form.Item>
        <div className="stack">
          <ConsentAct prompt={prompt} value={consent} onChange={setConsent} />
          <Abroad abroad={abroad} />
          <ProblemAlert error={submit.error} />
          <div className="row">
            <Button
              type="primary"
              htmlType="submit"
              loading={submit.isPending}
              disabled={!complete(prompt.data, consent) || !abroad.ready}
            >
              {t('realname.submit')}
            </Button>
            <span className="small quiet">{t('realname.decline')}</span>
          </div>
        </div>
      </Form>
    </Card>
  );
}
