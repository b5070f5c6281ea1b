import { Button, Popconfirm } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Node } from '../api/types';
import { useChange } from '../lib/use';
import { ProblemAlert } from './problem';

/** Takes a node out of service gently, or brings it back. */
export function Drain({ node }: { node: Node }) {
  const { t } = useTranslation();
  const act = useChange(() => api.admin.drainNode(node.id, !node.draining), [['admin', 'nodes']]);
  const label = t(node.draining ? 'drain.undo' : 'drain.drain');
  return (
    <>
      <Popconfirm
        title={label}
        description={t(node.draining ? 'drain.undo_text' : 'drain.text')}
        okText={label}
        cancelText={t('common.cancel')}
        onConfirm={() => act.mutate(undefined)}
      >
        <Button size="small" type="link" loading={act.isPending}>
          {label}
        </Button>
      </Popconfirm>
      <ProblemAlert error={act.error} />
    </>
  );
}
