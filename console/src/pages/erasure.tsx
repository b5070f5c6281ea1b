// How far the erasure of a person is, for whoever has its number. It says nothing about the person.

import { useEffect } from 'react';
import { Alert, Button, Skeleton, Steps } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Erasure } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { GateLayout } from '../components/gate-layout';
import { ProblemAlert } from '../components/problem';
import { useFormat } from '../lib/use';

/** What a person understands of the steps. */
const stages: Erasure['step'][][] = [
  ['freeze'],
  ['settle'],
  ['search', 'tell'],
  ['bury', 'rows', 'keys', 'files'],
  ['scan', 'certify'],
  ['done'],
];

export function ErasurePage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const client = useQueryClient();
  // The session of who asked has ended with the account.
  useEffect(() => {
    client.setQueryData(['me'], null);
  }, [client]);
  const erasure = useQuery({
    queryKey: ['erasure', id],
    queryFn: () => api.erasure.show(id),
    refetchInterval: (q) => (q.state.data?.step === 'done' ? false : 3000),
  });
  const done = erasure.data?.step === 'done';
  return (
    <GateLayout
      title={t(done ? 'erasure.done' : 'erasure.title')}
      lead={t(done ? 'erasure.done_text' : 'erasure.lead')}
    >
      {erasure.isPending ? <Skeleton active paragraph={{ rows: 6 }} /> : null}
      <ProblemAlert error={erasure.error} />
      {erasure.data ? <State erasure={erasure.data} /> : null}
    </GateLayout>
  );
}

function State({ erasure }: { erasure: Erasure }) {
  const { t } = useTranslation();
  const format = useFormat();
  const at = stages.findIndex((s) => s.includes(erasure.step));
  const waits = erasure.problem !== '';
  const facts = [
    { label: t('erasure.number'), value: <CopyText text={erasure.id} wrap /> },
    { label: t('erasure.asked_at'), value: format.time(erasure.asked_at) },
    { label: t('erasure.due_at'), value: format.time(erasure.due_at) },
  ];
  if (erasure.effective_at)
    facts.push({ label: t('erasure.effective_at'), value: format.time(erasure.effective_at) });
  if (erasure.complete_at)
    facts.push({ label: t('erasure.complete_at'), value: format.time(erasure.complete_at) });
  return (
    <div className="stack" aria-live="polite">
      {waits ? <Alert type="warning" showIcon title={t(`erasure.problem_${erasure.problem}`)} /> : null}
      <Steps
        orientation="vertical"
        size="small"
        current={at}
        status={erasure.step === 'done' ? 'finish' : waits ? 'error' : 'process'}
        items={stages.map((s) => ({
          title: t(`erasure.stage_${s[0]}`),
          content: t(`erasure.stage_${s[0]}_text`),
        }))}
      />
      <Facts facts={facts} />
      {erasure.certified ? (
        <>
          <Button
            type="primary"
            size="large"
            block
            icon={<DownloadOutlined />}
            href={api.erasure.certificate(erasure.id)}
            download
          >
            {t('erasure.certificate')}
          </Button>
          <span className="quiet">{t('erasure.certificate_text')}</span>
          <CopyText text="skybridge-verify --key log.pub certificate.json" wrap />
        </>
      ) : null}
    </div>
  );
}
