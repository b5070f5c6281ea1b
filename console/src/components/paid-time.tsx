// Until when a gateway is paid, what happens then of itself, and more time for it: the price first, then an order.

import { useState } from 'react';
import { Alert, Button, Card, Modal, Select, Switch } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { BoughtService } from '../api/types';
import { useChange, useCreate, useFormat, useToggle } from '../lib/use';
import { ProblemAlert } from './problem';

export function PaidTime({ gateway }: { gateway: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const key = ['service', gateway];
  const service = useQuery({ queryKey: key, queryFn: () => api.shop.serviceOf(gateway), retry: false });
  const [open, show, hide] = useToggle();
  const renew = useChange((on: boolean) => api.shop.setAutoRenew(service.data?.id ?? '', on), [key]);
  const cancel = useChange((on: boolean) => api.shop.setCancelAtEnd(service.data?.id ?? '', on), [key]);
  const s = service.data;
  if (!s?.paid_through) return null;
  const lives = s.state === 'active' || s.state === 'suspended';
  return (
    <>
      <Overdue service={s} />
      <Card
        title={t('paid.title')}
        extra={
          lives ? (
            <Button type={s.days_left <= 7 ? 'primary' : 'default'} onClick={show}>
              {t('paid.renew')}
            </Button>
          ) : null
        }
      >
        <p>{t('paid.through', { time: format.time(s.paid_through) })}</p>
        {lives ? (
          <>
            <label className="row">
              <Switch
                checked={s.auto_renew}
                loading={renew.isPending}
                onChange={(on) => renew.mutate(on)}
                aria-label={t('paid.auto_renew')}
              />
              <span>{t('paid.auto_renew')}</span>
            </label>
            <p className="small quiet">{t('paid.auto_renew_lead')}</p>
            <label className="row">
              <Switch
                checked={s.cancel_at_period_end}
                loading={cancel.isPending}
                onChange={(on) => cancel.mutate(on)}
                aria-label={t('paid.cancel_at_end')}
              />
              <span>{t('paid.cancel_at_end')}</span>
            </label>
            <ProblemAlert error={renew.error ?? cancel.error} />
          </>
        ) : null}
        {s.timeline.length ? (
          <>
            <p className="quiet">{t('paid.timeline')}</p>
            <ul className="plain">
              {s.timeline.map((m) => (
                <li key={m.what + m.at}>
                  <span className="num">{format.time(m.at)}</span> {t(`paid.what_${m.what}`)}
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </Card>
      {open ? <RenewDialog gateway={gateway} cycle={s.cycle} close={hide} /> : null}
    </>
  );
}

function Overdue({ service: s }: { service: BoughtService }) {
  const { t } = useTranslation();
  if (s.state === 'suspended')
    return (
      <Alert
        type="error"
        showIcon
        title={t('paid.suspended', { reasons: s.reasons.map((r) => t(`paid.reason_${r}`)).join(', ') })}
      />
    );
  if (!s.overdue) return null;
  return <Alert type="warning" showIcon title={t('paid.overdue', { count: -s.days_left })} />;
}

const months = [1, 2, 3, 6, 12, 24];

function RenewDialog({
  gateway,
  cycle: first,
  close,
}: {
  gateway: string;
  cycle: number;
  close: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const [cycle, setCycle] = useState(first);
  const quote = useQuery({
    queryKey: ['renewal-quote', gateway, cycle],
    queryFn: () => api.shop.quoteRenewal(gateway, cycle),
    refetchInterval: 10 * 60_000, // of a quote's 15 minutes
    retry: false,
  });
  const place = useCreate(
    (hash: string, key) =>
      api.shop.place({ kind: 'renew', resource: gateway, cycle, options: {}, quote_hash: hash }, key),
    [['orders']],
  );
  const submit = () =>
    place.mutate(quote.data?.quote_hash ?? '', {
      onSuccess: (order) => void navigate(`/orders/${order.id}`),
      onError: () => void quote.refetch(),
    });
  const choices = months.includes(first) ? months : [first, ...months];
  return (
    <Modal
      open
      title={t('paid.renew_title')}
      onCancel={close}
      okText={t('buy.place')}
      okButtonProps={{ loading: place.isPending, disabled: !quote.data || quote.isFetching }}
      onOk={submit}
    >
      <Select
        aria-label={t('paid.months')}
        value={cycle}
        onChange={setCycle}
        style={{ width: '100%' }}
        options={choices.map((n) => ({ value: n, label: t('paid.month', { count: n }) }))}
      />
      <ProblemAlert error={place.error ?? quote.error} />
      {quote.data ? (
        <div className="priceline" style={{ alignItems: 'baseline' }} aria-live="polite">
          <span>{t('buy.total')}</span>
          <span className="total num">{format.money(quote.data.total)}</span>
        </div>
      ) : null}
    </Modal>
  );
}
