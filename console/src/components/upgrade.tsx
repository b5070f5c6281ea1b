// More bandwidth or connections for a gateway that runs, or a service that it lacks: the price for the rest of the paid time, and
// an order for it. Paying and progress are on the order's page.

import { useState } from 'react';
import { Button, Form, Modal, Select, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Gateway, Quote } from '../api/types';
import { hasSSL } from '../lib/catalog';
import { useCreate, useFormat, useToggle } from '../lib/use';
import { ProblemAlert } from './problem';

type Options = Record<string, string>;

export function Upgrade({ gateway }: { gateway: Gateway }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  return (
    <>
      <Button onClick={show} disabled={gateway.state !== 'active'}>
        {t(hasSSL(gateway) ? 'upgrade.upgrade' : 'upgrade.enable')}
      </Button>
      {open ? <UpgradeDialog gateway={gateway} close={hide} /> : null}
    </>
  );
}

/** Values of an option that are no less than what there is. */
function useSteps(gateway: Gateway) {
  const products = useQuery({ queryKey: ['products'], queryFn: api.shop.products, staleTime: 60_000 });
  const offer = products.data?.items
    .find((p) => p.id === 'vpn-gateway')
    ?.offers.find((o) => o.region === gateway.region);
  const now: Record<string, number> = {
    ssl_bandwidth: gateway.ssl_bandwidth,
    ssl_connections: gateway.ssl_connections,
  };
  return {
    error: products.error,
    options: offer?.options.map((o) => ({
      id: o.id,
      now: String(now[o.id]),
      values: o.values.map((v) => v.value).filter((v) => Number(v) >= Math.max(now[o.id] ?? 0, 1)),
    })),
  };
}

function UpgradeDialog({ gateway, close }: { gateway: Gateway; close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const steps = useSteps(gateway);
  const [own, setChosen] = useState<Options>({});
  // A service is enabled whole: what is not chosen is the least that is sold.
  const least = hasSSL(gateway) ? [] : (steps.options ?? []).map((o) => [o.id, o.values[0] ?? o.now]);
  const chosen: Options = { ...Object.fromEntries(least), ...own };
  const changed = steps.options?.some((o) => chosen[o.id] !== undefined && chosen[o.id] !== o.now) ?? false;
  const quote = useQuery({
    queryKey: ['upgrade-quote', gateway.id, chosen],
    queryFn: () => api.shop.quoteUpgrade(gateway.id, chosen),
    enabled: changed,
    refetchInterval: 10 * 60_000, // of a quote's 15 minutes
    retry: false,
  });
  const place = useCreate(
    (options: Options, key) =>
      api.shop.place(
        { kind: 'upgrade', resource: gateway.id, options, quote_hash: quote.data?.quote_hash ?? '' },
        key,
      ),
    [['orders']],
  );
  const submit = () =>
    place.mutate(chosen, {
      onSuccess: (order) => void navigate(`/orders/${order.id}`),
      onError: () => void quote.refetch(),
    });
  return (
    <Modal
      open
      title={t(hasSSL(gateway) ? 'upgrade.title' : 'upgrade.enable_title', { name: gateway.name })}
      onCancel={close}
      okText={t('buy.place')}
      okButtonProps={{ loading: place.isPending, disabled: !changed || !quote.data || quote.isFetching }}
      onOk={submit}
    >
      <p className="quiet">{t(hasSSL(gateway) ? 'upgrade.lead' : 'upgrade.enable_lead')}</p>
      <ProblemAlert error={steps.error} />
      <Form layout="vertical" requiredMark={false}>
        {steps.options?.map((o) => (
          <Form.Item key={o.id} label={t(`option.${o.id}`)} htmlFor={`upgrade-${o.id}`}>
            <Select
              id={`upgrade-${o.id}`}
              value={chosen[o.id] ?? o.now}
              onChange={(value: string) => setChosen({ ...own, [o.id]: value })}
              options={(o.values.includes(o.now) || o.now === '0' ? o.values : [o.now, ...o.values]).map(
                (v) => ({
                  value: v,
                  label: t(`option.${o.id}_value`, { value: v }) + (v === o.now ? t('upgrade.now') : ''),
                }),
              )}
            />
          </Form.Item>
        )) ?? <Skeleton active />}
      </Form>
      <ProblemAlert error={place.error ?? quote.error} />
      {changed && quote.data ? <Price quote={quote.data} /> : null}
    </Modal>
  );
}

function Price({ quote }: { quote: Quote }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div aria-live="polite">
      {quote.lines.flatMap((line) =>
        line.items.map((item) => (
          <div className="priceline" key={item.option}>
            <span>{t(`upgrade.item_${item.option}`)}</span>
            <span className="num">{format.money(item.amount)}</span>
          </div>
        )),
      )}
      <div className="priceline" style={{ alignItems: 'baseline' }}>
        <span>{t('buy.total')}</span>
        <span className="total num">{format.money(quote.total)}</span>
      </div>
      <p className="small quiet">{t('upgrade.until', { time: format.time(quote.until) })}</p>
    </div>
  );
}
