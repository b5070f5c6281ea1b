// A guardian opens the account of a child of 14 or younger from the own account, or takes over from one who
// left; takes the consent back, and has the account erased.

import { useState } from 'react';
import { Button, Card, Form, Input, Modal } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Fields, type Entry } from '../pages/register';
import { useChange, useCreate, useFormat } from '../lib/use';
import { ConfirmDelete } from './confirm-delete';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { CopyText } from './copy-text';
import { short } from './name-cell';
import { ProblemAlert } from './problem';

/** Shown where the deployment lets guardians open accounts. */
export function Children() {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const [taking, setTaking] = useState(false);
  const groups = useQuery({ queryKey: ['age-groups'], queryFn: api.account.ageGroups, staleTime: Infinity });
  const all = useQuery({ queryKey: ['children'], queryFn: api.account.children });
  if (!groups.data?.items.some((g) => g.rule === 'guardian')) return null;
  return (
    <Card title={t('children.title')}>
      <div className="stack">
        <p style={{ margin: 0 }}>{t('children.text')}</p>
        {(all.data?.items ?? []).map((child) => (
          <div className="spread" key={child.account}>
            <div>
              <CopyText text={child.account} shown={short(child.account)} />
              <div className="muted">
                {child.withdrawn_at
                  ? t('children.withdrawn', { at: format.time(child.withdrawn_at) })
                  : t('children.opened', { at: format.time(child.created_at) })}
              </div>
            </div>
            {child.withdrawn_at ? null : (
              <ConfirmDelete
                small
                name={short(child.account)}
                label={t('children.withdraw')}
                loss={<p>{t('children.withdraw_text')}</p>}
                remove={() => api.account.leaveChild(child.account)}
                stale={[['children']]}
              />
            )}
            <ConfirmDelete
              small
              name={short(child.account)}
              label={t('children.erase')}
              loss={<p>{t('children.erase_text')}</p>}
              remove={() => api.account.eraseChild(child.account)}
              stale={[['children']]}
            />
          </div>
        ))}
        <div className="row" style={{ flexWrap: 'wrap' }}>
          <Button onClick={() => setOpen(true)}>{t('children.open')}</Button>
          <Button onClick={() => setTaking(true)}>{t('children.take_over')}</Button>
        </div>
      </div>
      {open ? <OpenAccount close={() => setOpen(false)} /> : null}
      {taking ? <TakeOver close={() => setTaking(false)} /> : null}
    </Card>
  );
}

function OpenAccount({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const policy = usePrompt('platform_policy');
  const rules = usePrompt('child_rules');
  const [agreed, setAgreed] = useState(noConsent);
  const [guardian, setGuardian] = useState(noConsent);
  const refresh = useChange(async () => undefined, [['children']]);
  const register = useCreate((in_: Entry, key) =>
    api.account
      .registerChild(
        { ...in_, consent_token: policy.data?.token ?? '', child_rules_token: rules.data?.token ?? '' },
        key,
      )
      .then(() => {
        refresh.mutate(undefined);
        close();
      })
      .catch(async (error: unknown) => {
        await Promise.all([policy.refetch(), rules.refetch()]);
        throw error;
      }),
  );
  return (
    <Modal open onCancel={close} title={t('children.open')} footer={null}>
      <Form<Entry>
        layout="vertical"
        requiredMark={false}
        onFinish={(v) => register.mutate({ user_name: v.user_name, email: v.email, password: v.password })}
      >
        <ConsentAct prompt={rules} value={guardian} onChange={setGuardian} />
        <Fields />
        <div className="stack">
          <ConsentAct prompt={policy} value={agreed} onChange={setAgreed} notice={false} minor />
          <ProblemAlert error={register.error} />
          <Button
            type="primary"
            htmlType="submit"
            block
            loading={register.isPending}
            disabled={!complete(rules.data, guardian) || !complete(policy.data, agreed)}
          >
            {t('register.submit')}
          </Button>
        </div>
      </Form>
    </Modal>
  );
}

/** With the code that the child made after the guardian left. */
function TakeOver({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const policy = usePrompt('platform_policy');
  const rules = usePrompt('child_rules');
  const [agreed, setAgreed] = useState(noConsent);
  const [guardian, setGuardian] = useState(noConsent);
  const take = useCreate(
    ({ code }: { code: string }, key) =>
      api.account
        .takeOver(
          {
            code: code.trim(),
            consent_token: policy.data?.token ?? '',
            child_rules_token: rules.data?.token ?? '',
          },
          key,
        )
        .then(close)
        .catch(async (error: unknown) => {
          await Promise.all([policy.refetch(), rules.refetch()]);
          throw error;
        }),
    [['children']],
  );
  return (
    <Modal open onCancel={close} title={t('children.take_over')} footer={null}>
      <Form<{ code: string }> layout="vertical" requiredMark={false} onFinish={(v) => take.mutate(v)}>
        <p>{t('children.take_over_text')}</p>
        <ConsentAct prompt={rules} value={guardian} onChange={setGuardian} />
        <Form.Item
          name="code"
          label={t('children.code')}
          rules={[{ required: true, message: t('field.required') }]}
        >
          <Input className="mono" autoComplete="off" maxLength={100} />
        </Form.Item>
        <div className="stack">
          <ConsentAct prompt={policy} value={agreed} onChange={setAgreed} notice={false} minor />
          <ProblemAlert error={take.error} />
          <Button
            type="primary"
            htmlType="submit"
            block
            loading={take.isPending}
            disabled={!complete(rules.data, guardian) || !complete(policy.data, agreed)}
          >
            {t('children.consent')}
          </Button>
        </div>
      </Form>
    </Modal>
  );
}
