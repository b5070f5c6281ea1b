// The certificates of one SSL client: which open now, renewing, revoking.

import { Button, Card, Checkbox, Form, Modal, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Certificate, Reissue, SSLClient } from '../api/types';
import { useCreate, useFormat, useToggle } from '../lib/use';
import { CertificateActs, RevokeCertificate } from './certificate-acts';
import { CopyText } from './copy-text';
import { Facts } from './facts';
import { PEMField } from './pem-field';
import { ErrorState, ProblemAlert } from './problem';
import { StateDot } from './state-dot';

export function ClientCertificates({ client }: { client: SSLClient }) {
  const { t } = useTranslation();
  const [renewing, renew, stop] = useToggle();
  const all = useQuery({
    queryKey: ['certificates', 'client', client.id],
    queryFn: () => api.vpn.certificates({ client: client.id }),
  });
  if (all.isPending) return <Skeleton active />;
  if (all.isError) return <ErrorState error={all.error} retry={() => void all.refetch()} />;
  const newest = all.data.items.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
  return (
    <div className="stack">
      <div>
        <Button type="primary" onClick={renew}>
          {t('client.renew')}
        </Button>
      </div>
      {newest.map((c) => (
        <One key={c.id} certificate={c} />
      ))}
      {renewing ? <Renew client={client} close={stop} /> : null}
    </div>
  );
}

function One({ certificate: c }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts = [
    { label: t('common.state'), value: <StateDot kind="certificate" state={c.state} /> },
    { label: t('certificate.not_after'), value: format.time(c.not_after) },
    { label: t('certificate.serial'), value: <CopyText text={c.serial} wrap /> },
    { label: t('certificate.key_type'), value: c.key_type },
  ];
  if (c.retire_at && !c.revoked_at)
    facts.push({ label: t('certificate.retire_at'), value: format.time(c.retire_at) });
  if (c.revoked_at) facts.push({ label: t('certificate.revoked_at'), value: format.time(c.revoked_at) });
  return (
    <Card size="small">
      <Facts columns={2} facts={facts} />
      <div className="row" style={{ marginTop: 12 }}>
        <CertificateActs certificate={c} />
        <RevokeCertificate certificate={c} />
      </div>
    </Card>
  );
}

function Renew({ client, close }: { client: SSLClient; close: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Reissue>();
  const reissue = useCreate(
    (in_: Reissue, key) => api.vpn.reissueCertificate(client.id, in_, key),
    [['client', client.id], ['clients'], ['certificates'], ['vpn-sessions']],
  );
  return (
    <Modal
      open
      title={t('client.renew')}
      onCancel={close}
      okText={t('client.renew')}
      cancelText={t('common.cancel')}
      okButtonProps={{ loading: reissue.isPending }}
      onOk={() => form.submit()}
    >
      <Form<Reissue>
        form={form}
        layout="vertical"
        onFinish={(v) =>
          reissue.mutate(
            {
              ...(v.csr_pem ? { csr_pem: v.csr_pem } : {}),
              ...(v.revoke_former ? { revoke_former: true } : {}),
            },
            { onSuccess: close },
          )
        }
      >
        <p className="quiet">{t('client.renew_text')}</p>
        <PEMField
          name="csr_pem"
          label={t('client.csr')}
          extra={t('client.csr_extra')}
          head="CERTIFICATE REQUEST"
        />
        <Form.Item name="revoke_former" valuePropName="checked">
          <Checkbox>{t('client.revoke_former')}</Checkbox>
        </Form.Item>
        <ProblemAlert error={reissue.error} />
      </Form>
    </Modal>
  );
}
