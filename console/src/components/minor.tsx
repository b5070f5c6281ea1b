// Minors: the choice of an age group, which is never made beforehand, what follows from it, and what a
// signed-in minor sees while something is missing.

import type { ReactNode } from 'react';
import { useState } from 'react';
import { Alert, Button, Card, Radio } from 'antd';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { AgeGroup } from '../api/types';
import { useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';
import { CopyText } from './copy-text';
import { Page } from './page';
import { ErrorState, ProblemAlert } from './problem';

function useAgeGroups() {
  return useQuery({ queryKey: ['age-groups'], queryFn: api.account.ageGroups, staleTime: Infinity });
}

interface Choice {
  value: AgeGroup | undefined;
  onChange: (group: AgeGroup) => void;
  /** Show only groups with this rule. */
  only?: AgeGroup['rule'];
}

/** The group first, then what it means: the minors' clauses stand before any field. */
export function MinorChoice({ value, onChange, only }: Choice) {
  const { t } = useTranslation();
  const groups = useAgeGroups();
  if (groups.isError) return <ErrorState error={groups.error} retry={() => void groups.refetch()} />;
  const all = (groups.data?.items ?? []).filter((g) => !only || g.rule === only);
  return (
    <div className="stack">
      <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
        <legend style={{ marginBottom: 8 }}>{t('minor.ask')}</legend>
        <Radio.Group
          value={value?.age_group ?? null}
          onChange={(e) => {
            const group = all.find((g) => g.age_group === e.target.value);
            if (group) onChange(group);
          }}
          style={{ display: 'flex', flexWrap: 'wrap', gap: 12 }}
        >
          {all.map((g) => (
            <Radio key={g.age_group} value={g.age_group}>
              {t(`minor.group_${g.age_group}`)}
            </Radio>
          ))}
        </Radio.Group>
      </fieldset>
      {value ? (
        <Alert
          type={value.rule === 'refused' ? 'error' : 'warning'}
          showIcon
          title={t(`minor.${value.rule}_title`)}
          description={t(`minor.${value.rule}_text`)}
        />
      ) : null}
    </div>
  );
}

// Rights and texts do not depend on an age.
const open = ['/my-data', '/policies'];

/** Stands before the pages while something is missing at a minor's age. */
export function AgeGate({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const { needs } = useMe().age;
  if (!needs || open.some((path) => pathname.startsWith(path))) return <>{children}</>;
  if (needs === 'age.screen_needed') return <GuardianScreen />;
  if (needs === 'age.guardian_left') return <GuardianLeft />;
  const key = needs === 'age.erasing' ? 'erasing' : 'waiting';
  return (
    <Page title={t(`minor.${key}_title`)}>
      <Card>
        <p style={{ marginTop: 0 }}>{t(`minor.${key}_lead`)}</p>
        {key === 'waiting' ? (
          <ol>
            <li>{t('minor.waiting_sign')}</li>
            <li>{t('minor.waiting_send')}</li>
            <li>{t('minor.waiting_open')}</li>
          </ol>
        ) : null}
        <div className="row">
          <Link to="/policies">{t('minor.policies')}</Link>
          <Link to="/my-data">{t('nav.mydata')}</Link>
        </div>
      </Card>
    </Page>
  );
}

/** The guardian is gone: how another one comes. Where a guardian consents on paper there is no code. */
function GuardianLeft() {
  const { t } = useTranslation();
  const format = useFormat();
  const groups = useAgeGroups();
  const make = useChange(() => api.account.guardianCode());
  const paper = !groups.data?.items.some((g) => g.rule === 'guardian');
  const steps = paper
    ? ['waiting_sign', 'waiting_send', 'waiting_open']
    : ['left_code', 'left_enter', 'left_open'];
  return (
    <Page title={t('minor.left_title')}>
      <Card loading={groups.isPending}>
        <div className="stack">
          <p style={{ margin: 0 }}>{t('minor.left_lead')}</p>
          <ol style={{ margin: 0 }}>
            {steps.map((step) => (
              <li key={step}>{t(`minor.${step}`)}</li>
            ))}
          </ol>
          {make.data ? (
            <Alert
              type="success"
              title={<CopyText text={make.data.code} wrap />}
              description={t('minor.code_until', { at: format.time(make.data.expires_at) })}
            />
          ) : null}
          <ProblemAlert error={make.error} />
          {paper ? null : (
            <div>
              <Button type="primary" loading={make.isPending} onClick={() => make.mutate(undefined)}>
                {t('minor.make_code')}
              </Button>
            </div>
          )}
          <div className="row">
            <Link to="/policies">{t('minor.policies')}</Link>
            <Link to="/my-data">{t('nav.mydata')}</Link>
          </div>
        </div>
      </Card>
    </Page>
  );
}

/** An identity number told that a minor is here who has not read the minors' clauses. */
function GuardianScreen() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [group, setGroup] = useState<AgeGroup>();
  const state = useChange(async () => {
    if (group?.age_group === '15' || group?.age_group === '16-17')
      await api.account.stateAge(group.age_group);
    await client.invalidateQueries();
  });
  return (
    <Page title={t('minor.screen_title')} lead={t('minor.screen_lead')}>
      <Card>
        <div className="stack">
          <MinorChoice value={group} onChange={setGroup} only="screen" />
          <ProblemAlert error={state.error} />
          <div>
            <Button
              type="primary"
              disabled={!group}
              loading={state.isPending}
              onClick={() => state.mutate(undefined)}
            >
              {t('minor.screen_confirm')}
            </Button>
          </div>
        </div>
      </Card>
    </Page>
  );
}
