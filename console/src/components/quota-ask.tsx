import { useState } from 'react';
import { Button, InputNumber, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Quota, QuotaName } from '../api/types';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

/** Asks the operator for more of something. */
export function QuotaAsk({ quota: q, label }: { quota: Quota; label: string }) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState<number | null>();
  const open = limit !== undefined;
  const ask = useChange(
    (wanted: number) => api.vpn.askQuota({ name: q.name as QuotaName, limit: wanted }),
    [['quotas']],
  );
  const close = () => setLimit(undefined);
  return (
    <>
      <Button
        size="small"
        type="link"
        aria-label={t('quota.ask_of', { name: label })}
        onClick={() => setLimit(q.asked || Math.min(100_000, q.limit * 2 || 1))}
      >
        {t('quota.ask')}
      </Button>
      <Modal
        open={open}
        title={t('quota.ask_of', { name: label })}
        okText={t('quota.send')}
        cancelText={t('common.cancel')}
        okButtonProps={{ disabled: !limit, loading: ask.isPending }}
        onOk={() => limit && ask.mutate(limit, { onSuccess: close })}
        onCancel={close}
        destroyOnHidden
      >
        <p>{t('quota.ask_text')}</p>
        <InputNumber
          aria-label={t('quota.wanted')}
          min={1}
          max={100_000}
          precision={0}
          style={{ width: '100%' }}
          value={limit}
          onChange={(v) => setLimit(v)}
        />
        <ProblemAlert error={ask.error} />
      </Modal>
    </>
  );
}
