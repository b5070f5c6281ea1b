import { useState, type ReactNode } from 'react';
import { Button, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { useChange, useToggle } from '../lib/use';
import { ProblemAlert } from './problem';

interface Props {
  name: string;
  /** What will be lost. */
  loss: ReactNode;
  label: string;
  remove: () => Promise<unknown>;
  stale: string[][];
  done?: () => void;
  /** Only what cannot be undone asks to type the name. */
  typed?: boolean;
  small?: boolean;
}

/** A destructive act: names what will be lost before it is. */
export function ConfirmDelete(p: Props) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [text, setText] = useState('');
  const act = useChange(async () => {
    await p.remove();
    hide();
    p.done?.();
  }, p.stale);
  return (
    <>
      <Button danger size={p.small ? 'small' : undefined} type={p.small ? 'link' : undefined} onClick={show}>
        {p.label}
      </Button>
      <Modal
        open={open}
        onCancel={hide}
        title={`${p.label}: ${p.name}`}
        destroyOnHidden
        afterClose={() => {
          setText('');
          act.reset();
        }}
        footer={[
          <Button key="no" onClick={hide}>
            {t('common.cancel')}
          </Button>,
          <Button
            key="yes"
            danger
            type="primary"
            loading={act.isPending}
            disabled={p.typed && text !== p.name}
            onClick={() => act.mutate(undefined)}
          >
            {p.label}
          </Button>,
        ]}
      >
        <div className="stack">
          <div>{p.loss}</div>
          {p.typed ? (
            <label>
              {t('common.type_name', { name: p.name })}
              <Input value={text} onChange={(e) => setText(e.target.value)} style={{ marginTop: 6 }} />
            </label>
          ) : null}
          <ProblemAlert error={act.error} />
        </div>
      </Modal>
    </>
  );
}
