import { useState } from 'react';
import { Button, Form, Input, Modal, Popconfirm, Select, Space } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { LegalOrder, NewLegalOrder } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { readFile, saveFile } from '../lib/file';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

const stale = [['admin', 'legal-orders']];

/** Categories of the data map that an order may name. */
const categories = [
  'account.name',
  'contact.email',
  'id.name',
  'id.number',
  'id.result',
  'net.ip',
  'net.useragent',
  'net.page',
  'net.session',
  'order',
  'pay.result',
  'cert',
  'consent',
  'case',
];

/** Orders of authorities: who entered them, who approved them, what was carried out. */
export function AdminLegalOrders() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const category = (c: string) => t(`category.${c}`, { defaultValue: c });
  return (
    <Page
      title={t('nav.admin_legal_orders')}
      lead={t('legal.lead')}
      action={can(me, 'legal_order.enter') ? <Enter /> : null}
    >
      <ResourceTable<LegalOrder>
        label={t('nav.admin_legal_orders')}
        queryKey={['admin', 'legal-orders']}
        load={api.admin.legalOrders}
        rowKey={(o) => o.id}
        nameTitle={t('legal.authority')}
        nameText={(o) => o.authority}
        name={(o) => (
          <div>
            <div style={{ fontWeight: 500 }}>{o.authority}</div>
            <div className="quiet">{`${o.doc_no} · ${o.jurisdiction} · ${o.law}`}</div>
          </div>
        )}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (o) => <StateDot kind="legal_order" state={o.state} />,
            text: (o) => o.state,
          },
          {
            key: 'subjects',
            title: t('legal.subjects'),
            cell: (o) => o.scope.subjects.map((h) => <CopyText key={h} text={h} shown={short(h)} />),
            text: (o) => o.scope.subjects.join(' '),
          },
          {
            key: 'categories',
            title: t('legal.categories'),
            cell: (o) => o.scope.categories.map(category).join(t('legal.comma')),
            text: (o) => o.scope.categories.join(' '),
          },
          {
            key: 'approvers',
            title: t('legal.approvers'),
            cell: (o) => <span className="num">{t('legal.of_two', { count: o.approvers.length })}</span>,
            text: (o) => o.approvers.join(' '),
          },
          {
            key: 'expires',
            title: t('legal.expires'),
            cell: (o) => <span className="num">{format.time(o.expires, true)}</span>,
            text: (o) => o.expires,
          },
          {
            key: 'suppress',
            title: t('legal.shown'),
            cell: (o) => (
              <span className="num">
                {o.suppress_until ? format.time(o.suppress_until, true) : t('legal.at_once')}
              </span>
            ),
            text: (o) => o.suppress_until ?? '',
          },
        ]}
        actions={(o) => <Acts order={o} />}
        csv="legal-orders"
        empty={{ title: t('legal.none'), text: t('legal.none_text') }}
      />
    </Page>
  );
}

/** What the person may do with an order in its state. */
function Acts({ order }: { order: LegalOrder }) {
  const { t } = useTranslation();
  const me = useMe();
  const approve = useChange(() => api.admin.approveLegalOrder(order.id), stale);
  const refuse = useChange(() => api.admin.refuseLegalOrder(order.id), stale);
  const execute = useChange(() => api.admin.executeLegalOrder(order.id), stale);
  const scan = useChange(async () =>
    saveFile(`${order.id}-scan`, (await api.admin.legalOrderScan(order.id)).content),
  );
  const file = useChange(async () =>
    saveFile(`${order.id}.sbo`, (await api.admin.legalOrderPackage(order.id)).content),
  );
  const judge = can(me, 'legal_order.approve') && order.state === 'entered';
  const carry = can(me, 'legal_order.execute');
  const problem = [approve, refuse, execute, scan, file].find((c) => c.error)?.error ?? null;
  return (
    <Space wrap size={4}>
      {judge ? (
        <>
          <Button size="small" onClick={() => scan.mutate(undefined)} loading={scan.isPending}>
            {t('legal.scan')}
          </Button>
          <Popconfirm
            title={t('legal.approve_text')}
            okText={t('legal.approve')}
            cancelText={t('common.cancel')}
            onConfirm={() => approve.mutate(undefined)}
          >
            <Button size="small" type="primary" loading={approve.isPending}>
              {t('legal.approve')}
            </Button>
          </Popconfirm>
          <Popconfirm
            title={t('legal.refuse_text')}
            okText={t('legal.refuse')}
            cancelText={t('common.cancel')}
            onConfirm={() => refuse.mutate(undefined)}
          >
            <Button size="small" danger loading={refuse.isPending}>
              {t('legal.refuse')}
            </Button>
          </Popconfirm>
        </>
      ) : null}
      {carry && order.state === 'approved' ? (
        <Popconfirm
          title={t('legal.execute_text')}
          okText={t('legal.execute')}
          cancelText={t('common.cancel')}
          onConfirm={() => execute.mutate(undefined)}
        >
          <Button size="small" type="primary" loading={execute.isPending}>
            {t('legal.execute')}
          </Button>
        </Popconfirm>
      ) : null}
      {carry && order.state === 'executed' ? (
        <Button size="small" onClick={() => file.mutate(undefined)} loading={file.isPending}>
          {t('legal.package')}
        </Button>
      ) : null}
      <ProblemAlert error={problem} />
    </Space>
  );
}

interface Entry {
  authority: string;
  jurisdiction: string;
  doc_no: string;
  law: string;
  authority_key: string;
  who: string;
  categories: string[];
  from: string;
  until: string;
  expires: string;
  hide?: string;
  hide_law?: string;
  approval_authority?: string;
  approval_doc_no?: string;
  approval_sha256?: string;
}

/** Days are Beijing's: a day begins at 16:00 of the day before in UTC. */
const begins = (day: string) => new Date(`${day}T00:00:00+08:00`).toISOString();
const ends = (day: string) => new Date(Date.parse(`${day}T00:00:00+08:00`) + 24 * 3600 * 1000).toISOString();

/** What the form says as the API takes it. */
export function toOrder(e: Entry, scan: { content: string; sha256: string }): NewLegalOrder {
  const names = e.who.split(/[\s,，;；]+/).filter(Boolean);
  return {
    authority: e.authority,
    jurisdiction: e.jurisdiction.toUpperCase(),
    doc_no: e.doc_no,
    law: e.law,
    authority_key: e.authority_key,
    scan: scan.content,
    scan_sha256: scan.sha256,
    scope: {
      subjects: names.filter((n) => n.startsWith('sub_')),
      categories: e.categories,
      from: begins(e.from),
      until: ends(e.until),
    },
    accounts: names.filter((n) => !n.startsWith('sub_')),
    expires: ends(e.expires),
    ...(e.hide ? { suppress_until: ends(e.hide), suppress_law: e.hide_law ?? '' } : {}),
    ...(e.approval_doc_no
      ? {
          approval: {
            authority: e.approval_authority ?? '',
            doc_no: e.approval_doc_no,
            sha256: e.approval_sha256 ?? '',
          },
        }
      : {}),
  };
}

/** An order is entered with its document; two others approve it. */
function Enter() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [document, setDocument] = useState<File>();
  const [form] = Form.useForm<Entry>();
  const enter = useChange(
    async (e: Entry) => api.admin.enterLegalOrder(toOrder(e, await readFile(document ?? new Blob([])))),
    stale,
  );
  const close = () => setOpen(false);
  const text = (name: keyof Entry, more = {}) => (
    <Form.Item name={name} label={t(`legal.${name}`)} rules={[{ required: true }]} {...more}>
      <Input maxLength={200} />
    </Form.Item>
  );
  const day = (name: keyof Entry, required = true) => (
    <Form.Item name={name} label={t(`legal.${name}`)} rules={[{ required }]}>
      <Input type="date" />
    </Form.Item>
  );
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('legal.enter')}
      </Button>
      <Modal
        open={open}
        title={t('legal.enter')}
        okText={t('legal.enter')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: enter.isPending, disabled: !document }}
        onOk={() => form.submit()}
        onCancel={close}
        afterClose={() => {
          form.resetFields();
          enter.reset();
          setDocument(undefined);
        }}
        destroyOnHidden
      >
        <p>{t('legal.enter_text')}</p>
        <Form
          form={form}
          layout="vertical"
          initialValues={{ jurisdiction: 'CN' }}
          onFinish={(e) => enter.mutate(e, { onSuccess: close })}
        >
          {text('authority')}
          {text('jurisdiction', { extra: t('legal.jurisdiction_text') })}
          {text('doc_no')}
          {text('law')}
          <Form.Item label={t('legal.document')} extra={t('legal.document_text')} htmlFor="legal-document">
            <input
              id="legal-document"
              type="file"
              accept="application/pdf,image/*"
              onChange={(e) => setDocument(e.target.files?.[0])}
            />
          </Form.Item>
          <Form.Item
            name="who"
            label={t('legal.subjects')}
            extra={t('legal.subjects_text')}
            rules={[{ required: true }]}
          >
            <Input.TextArea autoSize maxLength={3000} />
          </Form.Item>
          <Form.Item name="categories" label={t('legal.categories')} rules={[{ required: true }]}>
            <Select
              mode="multiple"
              options={categories.map((c) => ({ value: c, label: t(`category.${c}`, { defaultValue: c }) }))}
            />
          </Form.Item>
          {day('from')}
          {day('until')}
          {day('expires')}
          <Form.Item
            name="authority_key"
            label={t('legal.authority_key')}
            extra={t('legal.authority_key_text')}
            rules={[{ required: true }]}
          >
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 4 }} maxLength={4000} />
          </Form.Item>
          {day('hide', false)}
          {text('hide_law', { rules: [], extra: t('legal.hide_text') })}
          {text('approval_authority', { rules: [], extra: t('legal.approval_text') })}
          {text('approval_doc_no', { rules: [] })}
          {text('approval_sha256', { rules: [] })}
        </Form>
        <ProblemAlert error={enter.error} />
      </Modal>
    </>
  );
}
