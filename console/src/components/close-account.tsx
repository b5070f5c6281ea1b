import { useRef } from 'react';
import { Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { newKey } from '../api/http';
import { useMe } from '../lib/session';
import { ConfirmDelete } from './confirm-delete';
import { ProblemAlert } from './problem';

/** Closes the account for good: always possible to begin, whatever is still open. */
export function CloseAccount() {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const key = useRef(newKey());
  const number = useRef('');
  return (
    <section className="danger spread">
      <div>
        <b>{t('closure.title')}</b>
        <div className="quiet">{t('closure.text')}</div>
      </div>
      <ConfirmDelete
        typed
        name={me.user_name}
        label={t('closure.close')}
        loss={<Loss />}
        remove={async () => {
          number.current = (await api.erasure.close(me.user_name, key.current)).id;
        }}
        stale={[]}
        done={() => void navigate(`/erasures/${number.current}`)}
      />
    </section>
  );
}

/** What goes, what ends, what is owed, and what a law keeps. */
function Loss() {
  const { t } = useTranslation();
  const plan = useQuery({ queryKey: ['account-closure'], queryFn: api.erasure.plan });
  if (plan.isPending) return <Skeleton active paragraph={{ rows: 4 }} />;
  if (plan.isError) return <ProblemAlert error={plan.error} />;
  const services = plan.data.open.filter((u) => u.kind === 'service');
  const orders = plan.data.open.filter((u) => u.kind === 'order');
  const owed = plan.data.open.filter((u) => u.kind === 'balance' || u.kind === 'payment');
  const laws = [...new Set(plan.data.stays.map((s) => s.law))];
  return (
    <div className="stack">
      <p>
        <b>{t('closure.no_return')}</b> {t('closure.at_once')}
      </p>
      <ul>
        {services.length > 0 ? <li>{t('closure.services', { count: services.length })}</li> : null}
        {orders.length > 0 ? <li>{t('closure.orders', { count: orders.length })}</li> : null}
        {owed.map((u) => (
          <li key={u.id}>
            {u.kind === 'balance'
              ? t('closure.balance', { amount: `${u.state} ${u.id}` })
              : t('closure.payment')}
          </li>
        ))}
        <li>{t('closure.goes', { count: plan.data.goes.length })}</li>
        {laws.length > 0 ? <li>{t('closure.stays', { laws: laws.join(', ') })}</li> : null}
      </ul>
      <p className="quiet">{t('closure.number')}</p>
    </div>
  );
}
