import { useState } from 'react';
import { Alert, Button, Form, Input, Modal, Select, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { BusinessTransfer, NewTransfer } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useFormat, useToggle } from '../lib/use';

const stale = [['admin', 'successions']];

/** Transfers of the business to a successor: told, signed, and only then handed over. */
export function AdminSuccessions() {
  const { t } = useTranslation();
  const format = useFormat();
  const writes = can(useMe(), 'succession.write');
  return (
    <Page title={t('nav.admin_successions')} lead={t('transfer.lead')} action={writes ? <Announce /> : null}>
      <ResourceTable<BusinessTransfer>
        label={t('nav.admin_successions')}
        queryKey={['admin', 'successions']}
        load={api.admin.successions}
        rowKey={(s) => s.id}
        nameTitle={t('transfer.successor')}
        nameText={(s) => s.successor}
        name={(s) => (
          <div style={{ maxWidth: 360 }}>
            <div style={{ fontWeight: 500 }}>{s.successor}</div>
            <div className="quiet" style={{ overflowWrap: 'anywhere' }}>
              {s.contact}
            </div>
          </div>
        )}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (s) => <StateDot kind="transfer" state={s.state} />,
            text: (s) => t(`state.transfer.${s.state}`),
          },
          {
            key: 'day',
            title: t('transfer.effective_at'),
            cell: (s) => <span className="num">{format.time(s.effective_at)}</span>,
            text: (s) => s.effective_at,
          },
          {
            key: 'change',
            title: t('transfer.change'),
            cell: (s) => s.change || t('transfer.no_change'),
            text: (s) => s.change,
          },
          {
            key: 'told',
            title: t('transfer.told'),
            cell: (s) => (
              <span className="num">{s.told_at ? format.time(s.told_at) : t('transfer.telling')}</span>
            ),
            text: (s) => s.told_at ?? '',
          },
          {
            key: 'by',
            title: t('transfer.entered_by'),
            cell: (s) => <CopyText text={s.entered_by} shown={short(s.entered_by)} />,
            text: (s) => s.entered_by,
            optional: true,
          },
        ]}
        actions={(s) => <Acts transfer={s} writes={writes} />}
        csv="successions"
        empty={{ title: t('transfer.none'), text: t('transfer.none_text') }}
      />
    </Page>
  );
}

/** What may be done with a transfer in its state. */
function Acts({ transfer: s, writes }: { transfer: BusinessTransfer; writes: boolean }) {
  const { t } = useTranslation();
  const [shown, show, hide] = useToggle();
  const early = s.state === 'announced' || s.state === 'signed';
  return (
    <>
      <Button size="small" type="link" onClick={show}>
        {t('transfer.statement')}
      </Button>
      {shown ? <Statement transfer={s} signs={writes && s.state === 'announced'} close={hide} /> : null}
      {writes && s.state === 'effective' ? (
        <ConfirmDelete
          small
          typed
          name={s.successor}
          label={t('transfer.hand_over')}
          loss={<p>{t('transfer.hand_over_text')}</p>}
          remove={() => api.admin.handOver(s.id)}
          stale={stale}
        />
      ) : null}
      {writes && early ? (
        <ConfirmDelete
          small
          name={s.successor}
          label={t('transfer.withdraw')}
          loss={<p>{t('transfer.withdraw_text')}</p>}
          remove={() => api.admin.withdrawSuccession(s.id)}
          stale={stale}
        />
      ) : null}
    </>
  );
}

/** The text that the successor signs, and the field for the signature. */
function Statement({
  transfer: s,
  signs,
  close,
}: {
  transfer: BusinessTransfer;
  signs: boolean;
  close: () => void;
}) {
  const { t } = useTranslation();
  const text = useQuery({
    queryKey: ['admin', 'successions', s.id, 'statement'],
    queryFn: () => api.admin.successionStatement(s.id),
  });
  const [signature, setSignature] = useState('');
  const sign = useChange(() => api.admin.signSuccession(s.id, signature.trim()), stale);
  return (
    <Modal
      open
      width={680}
      title={`${t('transfer.statement')}: ${s.successor}`}
      onCancel={close}
      cancelText={t('common.close')}
      okText={t('transfer.sign')}
      okButtonProps={{
        disabled: !signature.trim(),
        loading: sign.isPending,
        style: signs ? undefined : { display: 'none' },
      }}
      onOk={() => sign.mutate(undefined, { onSuccess: close })}
    >
      <div className="stack">
        {text.isPending ? <Skeleton active /> : null}
        {text.isError ? <ErrorState error={text.error} retry={() => void text.refetch()} /> : null}
        {text.data ? (
          <>
            <div className="spread">
              <span className="quiet">{t('transfer.statement_text')}</span>
              <CopyText text={text.data.text} shown={t('transfer.copy')} />
            </div>
            <pre className="letter">{text.data.text}</pre>
          </>
        ) : null}
        {s.signature ? (
          <div>
            <div className="quiet small">{t('transfer.signature')}</div>
            <CopyText text={s.signature} wrap />
          </div>
        ) : null}
        {signs ? (
          <label>
            {t('transfer.signature')}
            <Input.TextArea
              className="mono"
              autoSize={{ minRows: 2 }}
              maxLength={200}
              value={signature}
              onChange={(e) => setSignature(e.target.value)}
            />
          </label>
        ) : null}
        <ProblemAlert error={sign.error} />
      </div>
    </Modal>
  );
}

interface Entry {
  successor: string;
  contact: string;
  region: string;
  key: string;
  documents: string[];
  change?: string;
  day: string;
}

/** Days are Beijing's: the transfer takes effect as the day begins. */
export function toTransfer(e: Entry): NewTransfer {
  return {
    successor: e.successor.trim(),
    contact: e.contact.trim(),
    region: e.region.trim(),
    key: e.key.trim(),
    documents: e.documents,
    change: e.change?.trim() ?? '',
    effective_at: new Date(`${e.day}T00:00:00+08:00`).toISOString(),
  };
}

/** Everybody is told as soon as it is sent. */
function Announce() {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [form] = Form.useForm<Entry>();
  const announce = useChange((e: Entry) => api.admin.announceSuccession(toTransfer(e)), stale);
  const policies = useQuery({ queryKey: ['policies'], queryFn: api.privacy.policies, enabled: open });
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button danger type="primary" onClick={show}>
        {t('transfer.announce')}
      </Button>
      <Modal
        open={open}
        title={t('transfer.announce')}
        okText={t('transfer.announce_everybody')}
        cancelText={t('common.cancel')}
        okButtonProps={{ danger: true, loading: announce.isPending }}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => {
          form.resetFields();
          announce.reset();
        }}
        destroyOnHidden
      >
        <div className="stack">
          <Alert type="warning" showIcon title={t('transfer.announce_text')} />
          <Form<Entry>
            form={form}
            layout="vertical"
            requiredMark={false}
            initialValues={{ documents: ['platform'] }}
            onFinish={(e) => announce.mutate(e, { onSuccess: hide })}
          >
            <Form.Item name="successor" label={t('transfer.successor')} rules={required}>
              <Input maxLength={300} autoComplete="off" />
            </Form.Item>
            <Form.Item name="contact" label={t('transfer.contact')} rules={required}>
              <Input maxLength={300} autoComplete="off" />
            </Form.Item>
            <Form.Item
              name="region"
              label={t('transfer.region')}
              extra={t('transfer.region_text')}
              rules={required}
            >
              <Input className="mono" maxLength={60} autoComplete="off" />
            </Form.Item>
            <Form.Item name="key" label={t('transfer.key')} extra={t('transfer.key_text')} rules={required}>
              <Input.TextArea className="mono" autoSize={{ minRows: 2 }} maxLength={400} />
            </Form.Item>
            <Form.Item name="documents" label={t('transfer.documents')} rules={required}>
              <Select
                mode="multiple"
                loading={policies.isPending}
                options={policies.data?.items.map((p) => ({ value: p.document, label: p.title }))}
              />
            </Form.Item>
            <Form.Item name="change" label={t('transfer.change')} extra={t('transfer.change_text')}>
              <Input.TextArea autoSize={{ minRows: 2 }} maxLength={300} />
            </Form.Item>
            <Form.Item
              name="day"
              label={t('transfer.effective_at')}
              extra={t('transfer.day_text')}
              rules={required}
            >
              <Input type="date" />
            </Form.Item>
          </Form>
          <ProblemAlert error={announce.error} />
        </div>
      </Modal>
    </>
  );
}
