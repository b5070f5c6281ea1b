// A new major version of a policy shuts what it affects until the person decides again: this pop-up
// stands before everything else. Refusing is possible; what then remains is said.

import { useEffect, useState } from 'react';
import { Button, Modal } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useNavigate } from 'react-router';
import { api } from '../api';
import { gateCodes, onProblem } from '../api/http';
import { useMe } from '../lib/session';
import { useChange } from '../lib/use';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { ProblemAlert } from './problem';

// Rights do not depend on an acceptance.
const open = ['/my-data', '/policies'];

export function PolicyDialog() {
  const { pathname } = useLocation();
  const due = useMe().consents_due.includes('platform_policy');
  const [told, setNeeded] = useState(false);
  const needed = due || told;
  useEffect(
    () =>
      onProblem((problem) => {
        const purpose = problem.params.purpose ?? 'platform_policy';
        if (gateCodes.includes(problem.code) && purpose === 'platform_policy') setNeeded(true);
      }),
    [],
  );
  if (!needed || open.some((path) => pathname.startsWith(path))) return null;
  return <Dialog done={() => setNeeded(false)} />;
}

function Dialog({ done }: { done: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const prompt = usePrompt('platform_policy');
  const minor = useMe().age.age_group !== '';
  const [state, setState] = useState(noConsent);
  const accept = useChange(async () => {
    await api.privacy.decide({ token: prompt.data?.token ?? '', decision: 'grant', adult: !minor });
    done();
    await client.invalidateQueries();
  });
  const leave = async () => {
    await api.account.logout().catch(() => undefined);
    client.clear();
    await navigate('/login');
  };
  return (
    <Modal
      open
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      width={680}
      title={t('consent.renew_title')}
      footer={
        <div className="spread">
          <Link to="/my-data">{t('consent.renew_rights')}</Link>
          <div className="row">
            <Button onClick={() => void leave()}>{t('consent.renew_leave')}</Button>
            <Button
              type="primary"
              loading={accept.isPending}
              disabled={!complete(prompt.data, state)}
              onClick={() => accept.mutate(undefined)}
            >
              {t('consent.accept')}
            </Button>
          </div>
        </div>
      }
    >
      <div className="stack">
        <p style={{ margin: 0 }}>{t('consent.renew_text')}</p>
        <ConsentAct prompt={prompt} value={state} onChange={setState} minor={minor} />
        <ProblemAlert error={accept.error} />
      </div>
    </Modal>
  );
}
