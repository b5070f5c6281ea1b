import { useState } from 'react';
import { Button, Form, Input, InputNumber, Modal, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { QuotaDecision, QuotaRequest } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

const settable: QuotaDecision['name'][] = ['vpn_gateways', 'ssl_gateways', 'ssl_clients', 'certificates'];

/** Who asked for more, and the answer to each; a limit can also be set unasked. */
export function AdminQuotas() {
  const { t } = useTranslation();
  const format = useFormat();
  const decides = can(useMe(), 'fleet.write');
  const name = (r: QuotaRequest) => t(`quota.name_${r.name}`, { defaultValue: r.name });
  return (
    <Page
      title={t('nav.admin_quotas')}
      lead={t('fleetquota.lead')}
      action={decides ? <Decide label={t('fleetquota.set')} /> : null}
    >
      <ResourceTable<QuotaRequest>
        label={t('nav.admin_quotas')}
        queryKey={['admin', 'quota-requests']}
        load={api.admin.quotaRequests}
        refresh={() => 60_000}
        rowKey={(r) => `${r.account}.${r.name}`}
        nameTitle={t('fleetquota.name')}
        nameText={name}
        name={(r) => <span style={{ fontWeight: 500 }}>{name(r)}</span>}
        columns={[
          {
            key: 'account',
            title: t('admin.account'),
            cell: (r) => <CopyText text={r.account} shown={short(r.account)} />,
            text: (r) => r.account,
          },
          {
            key: 'limit',
            title: t('fleetquota.wanted'),
            align: 'right',
            cell: (r) => <span className="num">{format.number(r.limit)}</span>,
            text: (r) => r.limit,
          },
          {
            key: 'asked',
            title: t('fleetquota.asked_at'),
            cell: (r) => <span className="num">{format.time(r.asked_at)}</span>,
            text: (r) => r.asked_at,
          },
        ]}
        actions={decides ? (r) => <Decide request={r} label={t('fleetquota.decide')} /> : undefined}
        csv="quota-requests"
        empty={{ title: t('fleetquota.none'), text: t('fleetquota.none_text') }}
      />
    </Page>
  );
}

interface Entry {
  account: string;
  name: QuotaDecision['name'];
  answer: 'set' | 'decline';
  limit: number;
  reason: string;
}

/** Sets a limit or declines a request; the account is told either way. */
function Decide({ request, label }: { request?: QuotaRequest; label: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Entry>();
  const declines = Form.useWatch('answer', form) === 'decline';
  const decide = useChange(
    (e: Entry) =>
      api.admin.decideQuota({
        account: e.account.trim(),
        name: e.name,
        reason: e.reason.trim(),
        ...(e.answer === 'decline' ? { decline: true } : { limit: e.limit }),
      }),
    [['admin', 'quota-requests']],
  );
  const close = () => setOpen(false);
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button
        size={request ? 'small' : undefined}
        type={request ? 'link' : 'primary'}
        onClick={() => setOpen(true)}
      >
        {label}
      </Button>
      <Modal
        open={open}
        title={label}
        okText={t(declines ? 'fleetquota.decline' : 'fleetquota.set')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: decide.isPending, danger: declines }}
        onOk={() => form.submit()}
        onCancel={close}
        afterClose={() => {
          form.resetFields();
          decide.reset();
        }}
        destroyOnHidden
      >
        <p>{t('fleetquota.text')}</p>
        <Form<Entry>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{
            account: request?.account ?? '',
            name: request?.name ?? 'ssl_gateways',
            answer: 'set',
            limit: request?.limit,
          }}
          onFinish={(e) => decide.mutate(e, { onSuccess: close })}
        >
          <Form.Item name="account" label={t('admin.account')} rules={required}>
            <Input className="mono" maxLength={40} disabled={Boolean(request)} autoComplete="off" />
          </Form.Item>
          <Form.Item name="name" label={t('fleetquota.name')}>
            <Select
              disabled={Boolean(request)}
              options={settable.map((n) => ({ value: n, label: t(`quota.name_${n}`) }))}
            />
          </Form.Item>
          <Form.Item name="answer" label={t('fleetquota.answer')} hidden={!request}>
            <Radio.Group
              options={(['set', 'decline'] as const).map((a) => ({
                value: a,
                label: t(`fleetquota.${a}`),
              }))}
            />
          </Form.Item>
          {declines ? null : (
            <Form.Item name="limit" label={t('fleetquota.limit')} rules={required}>
              <InputNumber min={0} max={100_000} precision={0} style={{ width: '100%' }} />
            </Form.Item>
          )}
          <Form.Item
            name="reason"
            label={t('fleetquota.reason')}
            extra={t('fleetquota.reason_text')}
            rules={required}
          >
            <Input maxLength={200} autoComplete="off" />
          </Form.Item>
        </Form>
        <ProblemAlert error={decide.error} />
      </Modal>
    </>
  );
}
