import { useState } from 'react';
import { Button, Checkbox, Form, Input, Modal, Radio, Select } from 'antd';
import { useNavigate, Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { RefundTarget, RefundWanted, StaffRefund } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { claims } from '../components/refund-words';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { registeredStates } from '../lib/states';
import { useCreate, useFormat } from '../lib/use';

const states = Object.keys(registeredStates.refund ?? {});
const targets: RefundTarget[] = ['original', 'wallet'];

/** All refunds, newest first. */
export function AdminRefunds() {
  const { t } = useTranslation();
  const format = useFormat();
  const handles = can(useMe(), 'refund.handle');
  const [state, setState] = useState<RefundWanted>();
  const [day, setDay] = useState('');
  const [target, setTarget] = useState<RefundTarget>();
  const wanted = (r: StaffRefund) => !target || r.target === target;
  return (
    <Page title={t('nav.admin_refunds')} lead={t('refund.desk_lead')} action={handles ? <AskFor /> : null}>
      <ResourceTable<StaffRefund>
        label={t('nav.admin_refunds')}
        queryKey={['admin', 'refunds', state, day]}
        load={(page) => api.admin.refunds({ ...page, state, day: day || undefined })}
        refresh={() => 15_000}
        rowKey={(r) => r.number}
        nameTitle={t('refund.number')}
        nameText={(r) => r.number}
        name={(r) => (
          <Link to={`/admin/refunds/${r.number}`} className="mono" aria-label={r.number}>
            {short(r.number)}
          </Link>
        )}
        filters={
          <>
            <Select
              allowClear
              aria-label={t('common.state')}
              placeholder={t('refund.all_states')}
              style={{ width: 200 }}
              value={state}
              onChange={setState}
              options={[
                { value: 'person' as RefundWanted, label: t('refund.waits') },
                ...states.map((s) => ({ value: s as RefundWanted, label: t(`state.refund.${s}`) })),
              ]}
            />
            <Select
              allowClear
              aria-label={t('refund.target')}
              placeholder={t('refund.all_targets')}
              style={{ width: 200 }}
              value={target}
              onChange={setTarget}
              options={targets.map((v) => ({ value: v, label: t(`refund.target_${v}`) }))}
            />
            <Input
              type="date"
              aria-label={t('refund.requested_at')}
              style={{ width: 150 }}
              value={day}
              onChange={(e) => setDay(e.target.value)}
            />
          </>
        }
        filter={wanted}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (r) => (
              <>
                <StateDot kind="refund" state={r.state} />
                {r.state === 'review' && r.seconded ? (
                  <div className="small quiet">{t('refund.one_of_two')}</div>
                ) : null}
              </>
            ),
            text: (r) => t(`state.refund.${r.state}`),
          },
          {
            key: 'amount',
            title: t('refund.amount'),
            align: 'right',
            cell: (r) => <span className="num">{format.money(r.amount)}</span>,
            text: (r) => r.amount.amount,
          },
          {
            key: 'rule',
            title: t('refund.rule'),
            cell: (r) => t(`refund.rule_${r.rule}`),
            text: (r) => t(`refund.rule_${r.rule}`),
          },
          {
            key: 'target',
            title: t('refund.target'),
            cell: (r) => t(`refund.target_${r.target}`),
            text: (r) => t(`refund.target_${r.target}`),
          },
          {
            key: 'account',
            title: t('admin.account'),
            cell: (r) => <CopyText text={r.account} shown={short(r.account)} />,
            text: (r) => r.account,
          },
          {
            key: 'requested',
            title: t('refund.requested_at'),
            cell: (r) => <span className="num">{format.time(r.requested_at)}</span>,
            text: (r) => r.requested_at,
          },
        ]}
        csv="refunds"
        empty={{ title: t('refund.none'), text: t('refund.none_text') }}
      />
    </Page>
  );
}

interface Claim {
  order: string;
  target: RefundTarget;
  whole: boolean;
  reason: string;
}

/** Asks for a refund of anybody's order; somebody approves it still. */
function AskFor() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Claim>();
  const ask = useCreate(
    ({ order, ...body }: Claim, key) => api.admin.askRefund(order.trim(), body, key),
    [['admin', 'refunds']],
  );
  const required = [{ required: true, message: t('field.required') }];
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('refund.ask_for')}</Button>
      <Modal
        open={open}
        title={t('refund.ask_for')}
        okText={t('refund.ask_for')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: ask.isPending }}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        afterClose={() => {
          form.resetFields();
          ask.reset();
        }}
        destroyOnHidden
      >
        <p>{t('refund.ask_for_text')}</p>
        <Form<Claim>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ target: 'original', whole: false }}
          onFinish={(e) => ask.mutate(e, { onSuccess: (r) => void navigate(`/admin/refunds/${r.number}`) })}
        >
          <Form.Item name="order" label={t('refund.order')} rules={required}>
            <Input className="mono" maxLength={40} autoComplete="off" />
          </Form.Item>
          <Form.Item name="target" label={t('refund.target')}>
            <Radio.Group options={targets.map((v) => ({ value: v, label: t(`refund.target_${v}`) }))} />
          </Form.Item>
          <Form.Item name="whole" valuePropName="checked" extra={t('refund.whole_text')}>
            <Checkbox>{t('refund.whole')}</Checkbox>
          </Form.Item>
          <Form.Item name="reason" label={t('refund.reason')} rules={required}>
            <Select options={claims.map((c) => ({ value: c, label: t(`refund.why_${c}`) }))} />
          </Form.Item>
        </Form>
        <ProblemAlert error={ask.error} />
      </Modal>
    </>
  );
}
