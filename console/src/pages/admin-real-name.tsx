import { useState } from 'react';
import { Alert, Button, Form, Input, Modal, Radio, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { RealNameReview, RealNameValues } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useFormat, useToggle } from '../lib/use';

const stale = [['admin', 'real-name']];

/** Verifications that the source could not decide: a person compares the values with the document. */
export function AdminRealName() {
  const { t } = useTranslation();
  const format = useFormat();
  const reveals = can(useMe(), 'realname.reveal');
  return (
    <Page title={t('nav.admin_real_name')} lead={t('idreview.lead')}>
      <ResourceTable<RealNameReview>
        label={t('nav.admin_real_name')}
        queryKey={['admin', 'real-name']}
        load={api.admin.realNameReviews}
        refresh={() => 60_000}
        rowKey={(r) => r.id}
        nameTitle={t('realname.name')}
        nameText={(r) => r.masked_name}
        name={(r) => (
          <div>
            <div style={{ fontWeight: 500 }}>
              {r.masked_name || '–'}{' '}
              {r.band ? <Tag>{t(`minor.group_${r.band}`, { defaultValue: r.band })}</Tag> : null}
            </div>
            <CopyText text={r.id} shown={short(r.id)} />
          </div>
        )}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (r) => <StateDot kind="realname" state={r.state} />,
            text: (r) => t(`state.realname.${r.state}`),
          },
          {
            key: 'number',
            title: t('realname.number'),
            cell: (r) => <span className="mono">{r.masked_number || '–'}</span>,
            text: (r) => r.masked_number,
          },
          {
            key: 'account',
            title: t('admin.account'),
            cell: (r) => <CopyText text={r.account} shown={short(r.account)} />,
            text: (r) => r.account,
          },
          {
            key: 'submitted',
            title: t('realname.submitted'),
            cell: (r) => <span className="num">{format.time(r.submitted_at)}</span>,
            text: (r) => r.submitted_at,
          },
        ]}
        actions={(r) => (
          <>
            {reveals ? <Reveal review={r} /> : null}
            <Decide review={r} />
          </>
        )}
        csv="real-name-reviews"
        empty={{ title: t('idreview.none'), text: t('idreview.none_text') }}
      />
    </Page>
  );
}

/** The values in clear: with a reason, and the person sees that it was done. They stay in this dialog. */
function Reveal({ review }: { review: RealNameReview }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [reason, setReason] = useState('');
  const [values, setValues] = useState<RealNameValues>();
  const reveal = useChange(async () => setValues(await api.admin.revealRealName(review.id, reason.trim())));
  return (
    <>
      <Button size="small" type="link" onClick={show}>
        {t('idreview.reveal')}
      </Button>
      <Modal
        open={open}
        title={t('idreview.reveal')}
        okText={t('idreview.reveal')}
        cancelText={t(values ? 'common.close' : 'common.cancel')}
        okButtonProps={{
          disabled: !reason.trim(),
          loading: reveal.isPending,
          style: values ? { display: 'none' } : undefined,
        }}
        onOk={() => reveal.mutate(undefined)}
        onCancel={hide}
        afterClose={() => {
          setReason('');
          setValues(undefined);
          reveal.reset();
        }}
        destroyOnHidden
      >
        <div className="stack">
          <Alert type="info" showIcon title={t('idreview.reveal_text')} />
          {values ? (
            <Facts
              facts={[
                { label: t('realname.name'), value: values.name },
                { label: t('realname.number'), value: <span className="mono">{values.number}</span> },
              ]}
            />
          ) : (
            <label>
              {t('idreview.reason')}
              <Input
                maxLength={64}
                autoComplete="off"
                value={reason}
                onChange={(e) => setReason(e.target.value)}
              />
            </label>
          )}
          <ProblemAlert error={reveal.error} />
        </div>
      </Modal>
    </>
  );
}

interface Entry {
  approve: boolean;
  reason: string;
}

function Decide({ review }: { review: RealNameReview }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [form] = Form.useForm<Entry>();
  const approve = Form.useWatch('approve', form);
  const decide = useChange((e: Entry) => api.admin.decideRealName(review.id, e), stale);
  return (
    <>
      <Button size="small" type="link" onClick={show}>
        {t('idreview.decide')}
      </Button>
      <Modal
        open={open}
        title={`${t('idreview.decide')}: ${review.masked_name}`}
        okText={t('idreview.decide')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: decide.isPending, danger: approve === false }}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => {
          form.resetFields();
          decide.reset();
        }}
        destroyOnHidden
      >
        <Form<Entry>
          form={form}
          layout="vertical"
          requiredMark={false}
          onFinish={(e) => decide.mutate(e, { onSuccess: hide })}
        >
          <Form.Item
            name="approve"
            label={t('idreview.decision')}
            rules={[{ required: true, message: t('field.required') }]}
          >
            <Radio.Group
              style={{ display: 'flex', flexDirection: 'column', gap: 8 }}
              options={[
                { value: true, label: t('idreview.approve') },
                { value: false, label: t('idreview.reject') },
              ]}
            />
          </Form.Item>
          <Form.Item
            name="reason"
            label={t('idreview.reason')}
            rules={[{ required: true, whitespace: true, message: t('field.required') }]}
          >
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
        </Form>
        <ProblemAlert error={decide.error} />
      </Modal>
    </>
  );
}
