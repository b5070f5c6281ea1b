// Client certificates of the customer's own CAs that one SSL server refuses: listed, added, lifted.

import { useState } from 'react';
import { Button, Form, Input, Modal, Popconfirm, Segmented, Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { BlockedCertificate, CertificateBlock, SSLServer } from '../api/types';
import { useChange, useCreate, useFormat } from '../lib/use';
import { NameCell } from './name-cell';
import { PEMField } from './pem-field';
import { ProblemAlert } from './problem';
import { ResourceTable, type Column } from './resource-table';

export function BlockedCertificates({ server }: { server: SSLServer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [adding, setAdding] = useState(false);
  const stale = [['blocked', server.id]];
  const lift = useChange((id: string) => api.vpn.unblockCertificate(server.id, id), stale);
  const columns: Column<BlockedCertificate>[] = [
    {
      key: 'issuer',
      title: t('certificate.issuer'),
      cell: (b) => <span style={{ overflowWrap: 'anywhere' }}>{b.issuer}</span>,
      text: (b) => b.issuer,
    },
    {
      key: 'client',
      title: t('nav.clients'),
      cell: (b) => (b.client ? <Link to={`/ssl-clients/${b.client}`}>{b.client}</Link> : '–'),
      text: (b) => b.client,
    },
    {
      key: 'end',
      title: t('certificate.not_after'),
      cell: (b) => (b.not_after ? format.date(b.not_after) : '–'),
      text: (b) => b.not_after,
    },
    {
      key: 'created',
      title: t('block.since'),
      cell: (b) => format.time(b.created_at),
      text: (b) => b.created_at,
    },
  ];
  const add = (
    <Button type="primary" onClick={() => setAdding(true)}>
      {t('block.add')}
    </Button>
  );
  return (
    <div className="stack">
      <p className="quiet">{t('block.lead')}</p>
      <ProblemAlert error={lift.error} />
      <ResourceTable<BlockedCertificate>
        label={t('block.title')}
        queryKey={['blocked', server.id]}
        load={() => api.vpn.blockedCertificates(server.id)}
        rowKey={(b) => b.id}
        nameTitle={t('client.serial')}
        nameText={(b) => b.serial}
        name={(b) => <NameCell name={b.serial} id={b.id} />}
        columns={columns}
        csv="blocked-certificates"
        filters={add}
        empty={{ title: t('block.empty') }}
        actions={(b) => (
          <Popconfirm title={t('block.lift_confirm')} onConfirm={() => lift.mutate(b.id)}>
            <Button size="small" loading={lift.isPending}>
              {t('block.lift')}
            </Button>
          </Popconfirm>
        )}
      />
      {adding ? <Add server={server} close={() => setAdding(false)} /> : null}
    </div>
  );
}

function Add({ server, close }: { server: SSLServer; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<CertificateBlock>();
  const [by, setBy] = useState<'pem' | 'serial'>('pem');
  const cas = useQuery({
    queryKey: ['certificates', 'client-ca'],
    queryFn: () => api.vpn.certificates({ type: 'client-ca' }),
  });
  const add = useCreate(
    async (in_: CertificateBlock, key) => {
      await api.vpn.blockCertificate(server.id, in_, key);
      close();
    },
    [['blocked', server.id], ['vpn-sessions']],
  );
  return (
    <Modal
      open
      title={t('block.add')}
      width={680}
      onCancel={close}
      okText={t('block.add')}
      okButtonProps={{ loading: add.isPending, danger: true }}
      onOk={() => form.submit()}
    >
      <Form<CertificateBlock>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(v) =>
          add.mutate(
            by === 'pem'
              ? { certificate_pem: v.certificate_pem }
              : { client_ca: v.client_ca, serial: v.serial },
          )
        }
      >
        <Segmented
          block
          style={{ marginBottom: 12 }}
          value={by}
          onChange={setBy}
          options={[
            { value: 'pem', label: t('block.by_certificate') },
            { value: 'serial', label: t('block.by_serial') },
          ]}
        />
        {by === 'pem' ? (
          <PEMField name="certificate_pem" label={t('certificate.certificate')} head="CERTIFICATE" required />
        ) : (
          <>
            <Form.Item
              name="client_ca"
              label={t('block.ca')}
              rules={[{ required: true, message: t('field.required') }]}
            >
              <Select
                loading={cas.isPending}
                options={cas.data?.items.map((c) => ({ value: c.id, label: c.name }))}
              />
            </Form.Item>
            <Form.Item
              name="serial"
              label={t('client.serial')}
              extra={t('block.serial_extra')}
              rules={[{ required: true, whitespace: true, message: t('field.required') }]}
            >
              <Input autoComplete="off" spellCheck={false} className="mono" />
            </Form.Item>
          </>
        )}
        <ProblemAlert error={add.error} />
      </Form>
    </Modal>
  );
}
