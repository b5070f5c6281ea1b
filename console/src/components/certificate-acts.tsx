// What can be done with a certificate: download it, and end it.

import { Button, Dropdown, Popconfirm } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Certificate } from '../api/types';
import { useChange } from '../lib/use';
import { ConfirmDelete } from './confirm-delete';
import { ProblemAlert } from './problem';

/** The menu of forms; nothing once the client is deleted. */
export function CertificateActs({ certificate: c }: { certificate: Certificate }) {
  const { t } = useTranslation();
  if (!c.subject && !c.fingerprint) return null;
  const forms = ['pem', 'der', 'zip'] as const;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: forms.map((form) => ({
          key: form,
          label: (
            <a href={api.vpn.certificateFile(c.id, form)} download>
              {t(`certificate.form_${form}`)}
            </a>
          ),
        })),
      }}
    >
      <Button type="link" size="small" icon={<DownloadOutlined />}>
        {t('certificate.download')}
      </Button>
    </Dropdown>
  );
}

/** Where a resource is looked at, by the prefix of its id. */
export function pathOf(id: string): string | undefined {
  const pages: Record<string, string> = {
    sslsrv: 'ssl-servers',
    sslcli: 'ssl-clients',
    vpngw: 'vpn-gateways',
  };
  const page = pages[id.split('-')[0] ?? ''];
  return page ? `/${page}/${id}` : undefined;
}

/** The ids of what uses a certificate, as links where there is a page. */
export function Users({ ids }: { ids: string[] }) {
  if (ids.length === 0) return <>–</>;
  return (
    <span className="row" style={{ gap: 8, flexWrap: 'wrap' }}>
      {ids.map((id) => {
        const path = pathOf(id);
        return path ? (
          <Link key={id} to={path} className="mono">
            {id}
          </Link>
        ) : (
          <span key={id} className="mono">
            {id}
          </span>
        );
      })}
    </span>
  );
}

/** Deleting what was uploaded; what uses it is said before and, by the API, again. */
export function DeleteCertificate({ certificate: c, done }: { certificate: Certificate; done: () => void }) {
  const { t } = useTranslation();
  return (
    <ConfirmDelete
      typed={c.used_by.length === 0}
      name={c.name}
      label={t('certificate.delete')}
      loss={
        c.used_by.length > 0 ? (
          <>
            {t('certificate.delete_used')} <Users ids={c.used_by} />
          </>
        ) : (
          t('certificate.delete_text')
        )
      }
      remove={() => api.vpn.deleteCertificate(c.id)}
      stale={[['certificates']]}
      done={done}
    />
  );
}

/** Revoking what was issued to a client. */
export function RevokeCertificate({ certificate: c }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const revoke = useChange(
    () => api.vpn.revokeCertificate(c.id),
    [['certificates'], ['certificate', c.id], ['client'], ['vpn-sessions']],
  );
  if (c.state === 'revoked' || c.state === 'expired') return null;
  return (
    <>
      <Popconfirm title={t('certificate.revoke_confirm')} onConfirm={() => revoke.mutate(undefined)}>
        <Button danger size="small" loading={revoke.isPending}>
          {t('certificate.revoke')}
        </Button>
      </Popconfirm>
      <ProblemAlert error={revoke.error} />
    </>
  );
}
