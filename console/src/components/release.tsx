import { useState } from 'react';
import { Checkbox } from 'antd';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway } from '../api/types';
import { ConfirmDelete } from './confirm-delete';

/** Releases a gateway for good, after its name was typed. */
export function Release({ gateway }: { gateway: Gateway }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [force, setForce] = useState(false);
  if (gateway.state === 'creating' || gateway.state === 'deleting') return null;
  return (
    <ConfirmDelete
      typed
      name={gateway.name}
      label={t('release.release')}
      loss={
        <div className="stack">
          <p>{t('release.text')}</p>
          <p>
            <b>{t('release.no_refund')}</b>
          </p>
          <Checkbox checked={force} onChange={(e) => setForce(e.target.checked)}>
            {t('release.force')}
          </Checkbox>
        </div>
      }
      remove={() => api.vpn.release(gateway.id, force)}
      stale={[['gateways'], ['gateway', gateway.id], ['servers'], ['clients']]}
      done={() => void navigate('/vpn-gateways')}
    />
  );
}
