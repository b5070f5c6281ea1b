import { useState } from 'react';
import { Button, Form, Input, Modal, Select } from 'antd';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Certificate, CertificateUpload } from '../api/types';
import { CertificateActs } from '../components/certificate-acts';
import { NameCell } from '../components/name-cell';
import { Page } from '../components/page';
import { DescriptionField } from '../components/description';
import { PEMField } from '../components/pem-field';
import { ProblemAlert } from '../components/problem';
import { ResourceTable, type Column } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useCreate, useFormat } from '../lib/use';

const kinds = ['server', 'client-ca', 'peer-ca'] as const;

export function Certificates() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const upload = (
    <Button type="primary" onClick={() => setParams({ upload: '1' })}>
      {t('certificate.upload')}
    </Button>
  );
  return (
    <Page title={t('nav.certificates')} lead={t('certificate.lead')} action={upload}>
      <CertificateTable />
      {params.get('upload') === '1' ? <Upload close={() => setParams({})} /> : null}
    </Page>
  );
}

function CertificateTable() {
  const { t } = useTranslation();
  const format = useFormat();
  const [kind, setKind] = useState('');
  const columns: Column<Certificate>[] = [
    {
      key: 'state',
      title: t('common.state'),
      cell: (c) => <StateDot kind="certificate" state={c.state} />,
      text: (c) => t(`state.certificate.${c.state}`),
    },
    {
      key: 'type',
      title: t('certificate.type'),
      cell: (c) => t(`certificate.type_${c.type}`),
      text: (c) => t(`certificate.type_${c.type}`),
    },
    {
      key: 'subject',
      title: t('certificate.subject'),
      cell: (c) => <span style={{ overflowWrap: 'anywhere' }}>{c.subject || '–'}</span>,
      text: (c) => c.subject,
    },
    {
      key: 'end',
      title: t('certificate.not_after'),
      cell: (c) => <span className="num">{format.date(c.not_after)}</span>,
      text: (c) => c.not_after,
    },
    {
      key: 'used',
      title: t('certificate.used_by'),
      cell: (c) => format.number(c.used_by.length),
      text: (c) => c.used_by.join(' '),
      align: 'right',
    },
    {
      key: 'fingerprint',
      title: t('certificate.fingerprint'),
      cell: (c) => <span className="mono">{c.fingerprint.slice(0, 16)}</span>,
      text: (c) => c.fingerprint,
      optional: true,
    },
  ];
  return (
    <ResourceTable<Certificate>
      label={t('nav.certificates')}
      queryKey={['certificates', 'list']}
      load={api.vpn.certificates}
      filter={kind ? (c) => c.type === kind : undefined}
      filters={
        <Select
          aria-label={t('certificate.type')}
          style={{ minWidth: 180 }}
          value={kind}
          onChange={setKind}
          options={['', ...kinds, 'client'].map((v) => ({
            value: v,
            label: v ? t(`certificate.type_${v}`) : t('certificate.type_all'),
          }))}
        />
      }
      rowKey={(c) => c.id}
      nameTitle={t('common.name')}
      nameText={(c) => c.name}
      name={(c) => (
        <NameCell name={c.name || t('certificate.erased')} id={c.id} to={`/certificates/${c.id}`} />
      )}
      columns={columns}
      csv="certificates"
      empty={{
        title: t('certificate.empty'),
        text: t('certificate.empty_text'),
        action: (
          <Link to="/certificates?upload=1">
            <Button type="primary">{t('certificate.upload')}</Button>
          </Link>
        ),
      }}
      actions={(c) => (
        <>
          <Link to={`/certificates/${c.id}`}>{t('common.view')}</Link>
          <CertificateActs certificate={c} />
        </>
      )}
    />
  );
}

function Upload({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [form] = Form.useForm<CertificateUpload>();
  const type = Form.useWatch('type', form) ?? 'server';
  const create = useCreate(
    (in_: CertificateUpload, key) => api.vpn.uploadCertificate(in_, key),
    [['certificates']],
  );
  const required = { required: true, whitespace: true, message: t('field.required') };
  return (
    <Modal
      open
      title={t('certificate.upload')}
      width={680}
      onCancel={close}
      okText={t('certificate.upload')}
      cancelText={t('common.cancel')}
      okButtonProps={{ loading: create.isPending }}
      onOk={() => form.submit()}
    >
      <Form<CertificateUpload>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ type: 'server' }}
        onFinish={(v) =>
          create.mutate(
            {
              name: v.name.trim(),
              ...(v.description ? { description: v.description.trim() } : {}),
              type: v.type,
              certificate_pem: v.certificate_pem,
              ...(v.chain_pem ? { chain_pem: v.chain_pem } : {}),
              ...(v.type === 'server' && v.private_key_pem ? { private_key_pem: v.private_key_pem } : {}),
            },
            { onSuccess: (c) => void navigate(`/certificates/${c.id}`) },
          )
        }
      >
        <Form.Item name="type" label={t('certificate.type')} extra={t(`certificate.type_${type}_extra`)}>
          <Select options={kinds.map((v) => ({ value: v, label: t(`certificate.type_${v}`) }))} />
        </Form.Item>
        <Form.Item name="name" label={t('common.name')} rules={[{ ...required, max: 64 }]}>
          <Input autoComplete="off" maxLength={64} />
        </Form.Item>
        <DescriptionField />
        <PEMField
          name="certificate_pem"
          label={t('certificate.certificate')}
          extra={t('certificate.certificate_extra')}
          head="CERTIFICATE"
          required
        />
        {type === 'server' ? (
          <PEMField
            name="private_key_pem"
            label={t('certificate.key')}
            extra={t('certificate.key_extra')}
            head="PRIVATE KEY"
            required
          />
        ) : null}
        <PEMField
          name="chain_pem"
          label={t('certificate.chain')}
          extra={t('certificate.chain_extra')}
          head="CERTIFICATE"
        />
        <ProblemAlert error={create.error} />
      </Form>
    </Modal>
  );
}
