import type { ReactNode } from 'react';
import { Button, Card, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Agreement, Assessment, ExportCounter, PaperNeed } from '../api/types';
import { CopyText } from '../components/copy-text';
import { short } from '../components/name-cell';
import { Page } from '../components/page';
import { ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useCreate, useFormat, useToggle } from '../lib/use';

const stale = [['admin', 'papers']];

/** The papers that sharing rests on: what is needed, what is there, until when. */
export function AdminPapers() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const day = (iso?: string) => <span className="num">{format.date(iso)}</span>;
  return (
    <Page
      title={t('nav.admin_papers')}
      lead={t('paper.lead')}
      action={
        can(me, 'agreement.write') ? (
          <>
            <RecordAgreement />
            <RecordAssessment />
          </>
        ) : null
      }
    >
      <Card title={t('paper.needs')}>
        <ResourceTable<PaperNeed>
          label={t('paper.needs')}
          queryKey={['admin', 'papers', 'needs']}
          load={api.admin.needs}
          rowKey={(n) => `${n.recipient} ${n.kind} ${n.name}`}
          nameTitle={t('paper.recipient')}
          nameText={(n) => n.recipient}
          name={(n) => (
            <div>
              <div style={{ fontWeight: 500 }}>{n.name}</div>
              <code className="mono small quiet">{n.recipient}</code>
            </div>
          )}
          columns={[
            {
              key: 'kind',
              title: t('paper.kind'),
              cell: (n) => t(`paper.kind_${n.kind}`),
              text: (n) => n.kind,
            },
            {
              key: 'state',
              title: t('common.state'),
              cell: (n) => <StateDot kind="paper" state={n.state} />,
              text: (n) => n.state,
            },
            { key: 'ends', title: t('paper.ends'), cell: (n) => day(n.ends), text: (n) => n.ends ?? '' },
          ]}
          csv="paper-needs"
          empty={{ title: t('paper.none') }}
        />
      </Card>
      <Card title={t('paper.contracts')}>
        <ResourceTable<Agreement>
          label={t('paper.contracts')}
          queryKey={['admin', 'papers', 'contracts']}
          load={api.admin.agreements}
          rowKey={(a) => a.id}
          nameTitle={t('paper.recipient')}
          nameText={(a) => a.recipient}
          name={(a) => <span style={{ fontWeight: 500 }}>{a.recipient}</span>}
          columns={[
            {
              key: 'kinds',
              title: t('paper.kinds'),
              cell: (a) => a.kinds.join(t('common.list_comma')),
              text: (a) => a.kinds.join(' '),
            },
            { key: 'ends', title: t('paper.ends'), cell: (a) => day(a.ends), text: (a) => a.ends },
            {
              key: 'sha256',
              title: t('paper.sum'),
              cell: (a) => <CopyText text={a.sha256} shown={short(a.sha256)} />,
              text: (a) => a.sha256,
            },
          ]}
          csv="agreements"
          empty={{ title: t('paper.none') }}
        />
      </Card>
      <Card title={t('paper.assessments')}>
        <ResourceTable<Assessment>
          label={t('paper.assessments')}
          queryKey={['admin', 'papers', 'assessments']}
          load={api.admin.assessments}
          rowKey={(a) => a.id}
          nameTitle={t('paper.pia')}
          nameText={(a) => a.pia}
          name={(a) => <span style={{ fontWeight: 500 }}>{a.pia}</span>}
          columns={[
            {
              key: 'necessity',
              title: t('paper.necessity'),
              cell: (a) => a.necessity,
              text: (a) => a.necessity,
            },
            { key: 'ends', title: t('paper.ends'), cell: (a) => day(a.ends), text: (a) => a.ends },
            {
              key: 'sha256',
              title: t('paper.sum'),
              cell: (a) => <CopyText text={a.sha256} shown={short(a.sha256)} />,
              text: (a) => a.sha256,
            },
          ]}
          csv="impact-assessments"
          empty={{ title: t('paper.none') }}
        />
      </Card>
      <Exports />
    </Page>
  );
}

/** How many people's data left the region in a year, against the numbers at which the law asks for more. */
function Exports() {
  const { t } = useTranslation();
  const format = useFormat();
  const what = (c: ExportCounter) =>
    t(c.sensitive ? 'paper.exports_sensitive' : 'paper.exports_all', { year: c.year });
  return (
    <Card title={t('paper.exports')}>
      <ResourceTable<ExportCounter>
        label={t('paper.exports')}
        queryKey={['admin', 'export-counters']}
        load={api.admin.exportCounters}
        rowKey={(c) => `${c.year}.${c.sensitive}`}
        nameTitle={t('paper.exports_year')}
        nameText={what}
        name={(c) => <span style={{ fontWeight: 500 }}>{what(c)}</span>}
        columns={[
          {
            key: 'people',
            title: t('paper.exports_people'),
            align: 'right',
            cell: (c) => <span className="num">{format.number(c.people)}</span>,
            text: (c) => c.people,
          },
          {
            key: 'next',
            title: t('paper.exports_next'),
            align: 'right',
            cell: (c) => <span className="num">{c.next ? format.number(c.next) : '–'}</span>,
            text: (c) => c.next,
          },
          {
            key: 'state',
            title: t('common.state'),
            cell: (c) => <StateDot kind="exports" state={c.alarm ? 'near' : 'below'} />,
            text: (c) => t(`state.exports.${c.alarm ? 'near' : 'below'}`),
          },
        ]}
        csv="transfers-abroad"
        empty={{ title: t('paper.exports_none'), text: t('paper.exports_none_text') }}
      />
    </Card>
  );
}

const midnight = (day: string) => new Date(`${day}T00:00:00+08:00`).toISOString();
const words = (text: string) => text.split(/\s+/).filter(Boolean);

interface Texts {
  [name: string]: string;
}

/** A form of texts and days in a dialog; each must be there. */
function PaperForm<T>(p: {
  label: string;
  fields: { name: string; label: string; extra?: string; long?: boolean; day?: boolean }[];
  send: (texts: Texts, key: string) => Promise<T>;
}): ReactNode {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [form] = Form.useForm<Texts>();
  const record = useCreate(p.send, stale);
  return (
    <>
      <Button onClick={show}>{p.label}</Button>
      <Modal
        open={open}
        title={p.label}
        okText={t('common.save')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: record.isPending }}
        onOk={() => form.submit()}
        onCancel={hide}
        afterClose={() => {
          form.resetFields();
          record.reset();
        }}
        destroyOnHidden
      >
        <p>{t('paper.record_text')}</p>
        <Form form={form} layout="vertical" onFinish={(v) => record.mutate(v, { onSuccess: hide })}>
          {p.fields.map((f) => (
            <Form.Item
              key={f.name}
              name={f.name}
              label={f.label}
              extra={f.extra}
              rules={[{ required: true }]}
            >
              {f.long ? (
                <Input.TextArea rows={2} maxLength={500} />
              ) : (
                <Input type={f.day ? 'date' : 'text'} maxLength={200} />
              )}
            </Form.Item>
          ))}
        </Form>
        <ProblemAlert error={record.error} />
      </Modal>
    </>
  );
}

function RecordAgreement() {
  const { t } = useTranslation();
  return (
    <PaperForm
      label={t('paper.record_contract')}
      fields={[
        { name: 'recipient', label: t('paper.recipient') },
        { name: 'sha256', label: t('paper.digest'), extra: t('paper.digest_text') },
        { name: 'purposes', label: t('paper.purposes'), extra: t('paper.split') },
        { name: 'kinds', label: t('paper.kinds'), extra: t('paper.split') },
        { name: 'method', label: t('paper.method'), long: true },
        { name: 'safeguards', label: t('paper.safeguards'), long: true },
        { name: 'supervision', label: t('paper.supervision'), long: true },
        { name: 'begins', label: t('paper.begins'), day: true },
        { name: 'ends', label: t('paper.ends'), day: true },
      ]}
      send={({ purposes = '', kinds = '', begins = '', ends = '', ...rest }, key) =>
        api.admin.recordAgreement(
          {
            ...rest,
            purposes: words(purposes),
            kinds: words(kinds),
            begins: midnight(begins),
            ends: midnight(ends),
          } as Agreement,
          key,
        )
      }
    />
  );
}

function RecordAssessment() {
  const { t } = useTranslation();
  return (
    <PaperForm
      label={t('paper.record_assessment')}
      fields={[
        { name: 'pia', label: t('paper.pia') },
        { name: 'sha256', label: t('paper.digest'), extra: t('paper.digest_text') },
        { name: 'necessity', label: t('paper.necessity'), long: true },
        { name: 'impact', label: t('paper.impact'), long: true },
        { name: 'measures', label: t('paper.measures'), long: true },
        { name: 'ends', label: t('paper.ends'), day: true },
      ]}
      send={({ ends = '', ...rest }, key) =>
        api.admin.recordAssessment({ ...rest, ends: midnight(ends) } as Assessment, key)
      }
    />
  );
}
