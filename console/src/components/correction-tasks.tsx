import { useState } from 'react';
import { Button, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { CorrectionTask } from '../api/types';
import { useChange, useFormat } from '../lib/use';
import { CopyText } from './copy-text';
import { short } from './name-cell';
import { ProblemAlert } from './problem';
import { ResourceTable } from './resource-table';

/** Recipients that have to be told of a correction, the first due first. */
export function CorrectionTasks() {
  const { t } = useTranslation();
  const format = useFormat();
  const [task, setTask] = useState<CorrectionTask>();
  return (
    <>
      <ResourceTable<CorrectionTask>
        label={t('correction.tasks')}
        queryKey={['admin', 'corrections']}
        load={api.admin.corrections}
        rowKey={(c) => c.id}
        nameTitle={t('correction.recipient')}
        nameText={(c) => c.legal_name}
        name={(c) => (
          <div>
            <div style={{ fontWeight: 500 }}>{c.legal_name}</div>
            <CopyText text={c.subject} shown={short(c.subject)} />
          </div>
        )}
        columns={[
          {
            key: 'fields',
            title: t('correction.fields'),
            cell: (c) => c.fields.join(', '),
            text: (c) => c.fields.join(' '),
          },
          {
            key: 'via',
            title: t('correction.via'),
            cell: (c) => t(`correction.via_${c.via}`),
            text: (c) => c.via,
          },
          {
            key: 'due',
            title: t('rights.due'),
            cell: (c) => <span className="num">{format.time(c.due_at, true)}</span>,
            text: (c) => c.due_at,
          },
        ]}
        actions={(c) =>
          c.own ? (
            <span className="muted">{t('correction.own')}</span>
          ) : (
            <Button size="small" onClick={() => setTask(c)}>
              {t('correction.tell')}
            </Button>
          )
        }
        empty={{ title: t('correction.no_tasks') }}
      />
      {task ? <Told task={task} close={() => setTask(undefined)} /> : null}
    </>
  );
}

function Told({ task, close }: { task: CorrectionTask; close: () => void }) {
  const { t } = useTranslation();
  const [receipt, setReceipt] = useState('');
  const told = useChange(async () => {
    await api.admin.correctionTold(task.id, receipt);
    close();
  }, [['admin', 'corrections']]);
  return (
    <Modal
      open
      onCancel={close}
      title={t('correction.tell_title', { name: task.legal_name })}
      okText={t('correction.tell')}
      okButtonProps={{ disabled: !receipt.trim(), loading: told.isPending }}
      onOk={() => told.mutate(undefined)}
    >
      <div className="stack">
        <p style={{ margin: 0 }}>{t('correction.tell_text')}</p>
        <Input
          aria-label={t('correction.receipt')}
          placeholder={t('correction.receipt')}
          value={receipt}
          maxLength={200}
          onChange={(e) => setReceipt(e.target.value)}
        />
        <ProblemAlert error={told.error} />
      </div>
    </Modal>
  );
}
