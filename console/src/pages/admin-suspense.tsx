import { useState } from 'react';
import { Button, Card, Form, Input, Modal, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { StaffReceipt, SuspenseAct, SuspenseRequest } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { can, useMe } from '../lib/session';
import { useCreate, useFormat } from '../lib/use';
import { Decide, useBookedColumns } from './admin-transfers';

const stale = [
  ['admin', 'suspense'],
  ['admin', 'refunds'],
];
const kinds: SuspenseRequest['kind'][] = ['order', 'wallet', 'back'];
const reasons = ['paid_twice', 'paid_late', 'other_amount', 'other_system', 'other'];

/** Money that came and belongs to nobody yet: which order or wallet it is for, or back. */
export function AdminSuspense() {
  const { t } = useTranslation();
  const settles = can(useMe(), 'payment.settle');
  return (
    <Page title={t('nav.admin_suspense')} lead={t('suspense.lead')}>
      <Receipts settles={settles} />
      <Acts settles={settles} />
    </Page>
  );
}

function Receipts({ settles }: { settles: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('admin.suspense')}>
      <ResourceTable<StaffReceipt>
        label={t('admin.suspense')}
        queryKey={['admin', 'suspense', 'list']}
        load={api.admin.suspense}
        refresh={() => 60_000}
        rowKey={(r) => r.id}
        nameTitle={t('admin.trade_no')}
        nameText={(r) => r.trade_number}
        name={(r) => <CopyText text={r.trade_number} />}
        columns={[
          {
            key: 'amount',
            title: t('order.amount'),
            align: 'right',
            cell: (r) => <span className="num">{format.money(r.amount)}</span>,
            text: (r) => r.amount.amount,
          },
          {
            key: 'payment',
            title: t('admin.payment_no'),
            cell: (r) => <CopyText text={r.payment} shown={short(r.payment)} />,
            text: (r) => r.payment,
          },
          { key: 'gateway', title: t('pay.method'), cell: (r) => r.gateway, text: (r) => r.gateway },
          {
            key: 'received',
            title: t('admin.received'),
            cell: (r) => <span className="num">{format.time(r.received_at)}</span>,
            text: (r) => r.received_at,
          },
        ]}
        actions={settles ? (r) => <Settle receipt={r} /> : undefined}
        csv="suspense"
        empty={{ title: t('suspense.none'), text: t('suspense.none_text') }}
      />
    </Card>
  );
}

/** Decides about one receipt, whole. */
function Settle({ receipt }: { receipt: StaffReceipt }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<SuspenseRequest>();
  const kind = Form.useWatch('kind', form);
  const settle = useCreate((r: SuspenseRequest, key) => api.admin.settleSuspense(receipt.id, r, key), stale);
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button size="small" type="link" onClick={() => setOpen(true)}>
        {t('suspense.settle')}
      </Button>
      <Modal
        open={open}
        title={t('suspense.settle')}
        okText={t('suspense.settle')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: settle.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          form.resetFields();
          settle.reset();
        }}
        destroyOnHidden
      >
        <p>{t('suspense.settle_text', { amount: format.money(receipt.amount) })}</p>
        <Form<SuspenseRequest>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ kind: 'wallet' }}
          onFinish={(r) => settle.mutate(r, { onSuccess: () => setOpen(false) })}
        >
          <Form.Item name="kind" label={t('suspense.where')}>
            <Radio.Group options={kinds.map((k) => ({ value: k, label: t(`suspense.kind_${k}`) }))} />
          </Form.Item>
          {kind === 'order' ? (
            <Form.Item
              name="order"
              label={t('order.order')}
              extra={t('suspense.order_text')}
              rules={required}
            >
              <Input className="mono" maxLength={40} autoComplete="off" />
            </Form.Item>
          ) : null}
          {kind === 'wallet' ? (
            <Form.Item name="account" label={t('admin.account')} extra={t('suspense.account_text')}>
              <Input className="mono" maxLength={40} autoComplete="off" />
            </Form.Item>
          ) : null}
          {kind === 'back' ? (
            <Form.Item
              name="bank_reference"
              label={t('desk.bank_reference')}
              extra={t('suspense.reference_text')}
            >
              <Input className="mono" maxLength={64} autoComplete="off" />
            </Form.Item>
          ) : null}
          <Form.Item name="reason" label={t('recon.reason')} rules={required}>
            <Select options={reasons.map((r) => ({ value: r, label: t(`recon.why_${r}`) }))} />
          </Form.Item>
        </Form>
        <ProblemAlert error={settle.error} />
      </Modal>
    </>
  );
}

function Acts({ settles }: { settles: boolean }) {
  const { t } = useTranslation();
  const columns = useBookedColumns<SuspenseAct>((r) =>
    t(`recon.why_${r.reason}`, { defaultValue: r.reason }),
  );
  const kindOf = (a: SuspenseAct) => t(`suspense.kind_${a.kind}`);
  return (
    <Card title={t('suspense.acts')}>
      <ResourceTable<SuspenseAct>
        label={t('suspense.acts')}
        queryKey={['admin', 'suspense', 'acts']}
        load={api.admin.suspenseActs}
        rowKey={(a) => a.id}
        nameTitle={t('suspense.where')}
        nameText={kindOf}
        name={(a) => <span style={{ fontWeight: 500 }}>{kindOf(a)}</span>}
        columns={columns}
        actions={
          settles
            ? (a) =>
                a.state === 'waiting' ? (
                  <Decide decide={(v) => api.admin.decideSuspense(a.id, v)} by={a.entered_by} stale={stale} />
                ) : null
            : undefined
        }
        csv="suspense-acts"
        empty={{ title: t('suspense.no_acts') }}
      />
    </Card>
  );
}
