import { Card, Skeleton, Typography } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Certificate } from '../api/types';
import { CertificateActs, DeleteCertificate, RevokeCertificate, Users } from '../components/certificate-acts';
import { CopyText } from '../components/copy-text';
import { DescriptionText } from '../components/description';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { useChange, useFormat } from '../lib/use';

export function CertificatePage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const one = useQuery({ queryKey: ['certificate', id], queryFn: () => api.vpn.certificate(id) });
  const rename = useChange(
    (name: string) => api.vpn.renameCertificate(id, name, one.data?.version ?? 0),
    [['certificate', id], ['certificates']],
  );
  const describe = useChange(
    (text: string) => api.vpn.describeCertificate(id, text, one.data?.version ?? 0),
    [['certificate', id], ['certificates']],
  );
  if (one.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (one.isError) return <ErrorState error={one.error} retry={() => void one.refetch()} />;
  const c = one.data;
  const uploaded = c.type !== 'client';
  return (
    <Page
      title={c.name || t('certificate.erased')}
      trail={[{ title: t('nav.certificates'), to: '/certificates' }]}
      action={<CertificateActs certificate={c} />}
    >
      <Card>
        <About certificate={c} />
        {uploaded ? (
          <div className="row" style={{ marginTop: 16 }}>
            <span className="quiet">{t('certificate.rename')}</span>
            <Typography.Text
              editable={{
                text: c.name,
                maxLength: 64,
                onChange: (name) => {
                  if (name.trim() && name.trim() !== c.name) rename.mutate(name.trim());
                },
              }}
            >
              {c.name}
            </Typography.Text>
          </div>
        ) : null}
        {uploaded ? (
          <div className="row" style={{ marginTop: 8 }}>
            <span className="quiet">{t('common.description')}</span>
            <DescriptionText text={c.description} change={describe} />
          </div>
        ) : null}
        <ProblemAlert error={rename.error} />
      </Card>
      <End certificate={c} />
    </Page>
  );
}

function About({ certificate: c }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts = [
    { label: t('common.state'), value: <StateDot kind="certificate" state={c.state} /> },
    { label: t('certificate.type'), value: t(`certificate.type_${c.type}`) },
    { label: t('certificate.subject'), value: c.subject || '–' },
    { label: t('certificate.issuer'), value: c.issuer || '–' },
    { label: t('certificate.names'), value: <span className="mono">{c.names.join(', ') || '–'}</span> },
    { label: t('certificate.key_type'), value: c.key_type || '–' },
    { label: t('certificate.not_before'), value: c.not_before ? format.time(c.not_before) : '–' },
    { label: t('certificate.not_after'), value: format.time(c.not_after) },
    { label: t('certificate.serial'), value: <CopyText text={c.serial} wrap /> },
    {
      label: t('certificate.fingerprint'),
      value: c.fingerprint ? <CopyText text={c.fingerprint} wrap /> : '–',
    },
    { label: t('certificate.used_by'), value: <Users ids={c.used_by} /> },
    { label: t('certificate.id'), value: <CopyText text={c.id} /> },
  ];
  if (c.retire_at && !c.revoked_at)
    facts.push({ label: t('certificate.retire_at'), value: format.time(c.retire_at) });
  if (c.revoked_at) facts.push({ label: t('certificate.revoked_at'), value: format.time(c.revoked_at) });
  return <Facts columns={2} facts={facts} />;
}

/** How it ends: uploaded ones are deleted, issued ones revoked. */
function End({ certificate: c }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  if (c.type !== 'client')
    return (
      <section className="danger spread">
        <div>
          <b>{t('certificate.delete')}</b>
          <div className="quiet">{t('certificate.delete_text')}</div>
        </div>
        <DeleteCertificate certificate={c} done={() => void navigate('/certificates')} />
      </section>
    );
  if (c.state === 'revoked' || c.state === 'expired') return null;
  return (
    <section className="danger spread">
      <div>
        <b>{t('certificate.revoke')}</b>
        <div className="quiet">
          {t('certificate.revoke_text')}{' '}
          {c.client ? <Link to={`/ssl-clients/${c.client}`}>{t('certificate.to_client')}</Link> : null}
        </div>
      </div>
      <RevokeCertificate certificate={c} />
    </section>
  );
}
