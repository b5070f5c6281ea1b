import { useEffect, useMemo, useState } from 'react';
import { Alert, Button, Card, Form, Input, Select, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Offer, Product, Quote, QuoteRequest } from '../api/types';
import { Choices } from '../components/choices';
import { Page } from '../components/page';
import { EmptyState, ErrorState, ProblemAlert } from '../components/problem';
import { WizardForm } from '../components/wizard-form';
import { textOf, useNetworks, useRegions } from '../lib/catalog';
import { useSettings } from '../lib/settings';
import { useCreate, useFormat } from '../lib/use';
import { useMe } from '../lib/session';
import { useVerification } from './real-name';

interface Choice {
  region: string;
  options: Record<string, string>;
  cycle: number;
  name: string;
  network: string;
}

const months = [1, 2, 3, 6, 12, 24, 36];

/** Catalogue and quote of VPN gateways. */
export function Buy() {
  const { t } = useTranslation();
  const products = useQuery({ queryKey: ['products'], queryFn: api.shop.products, staleTime: 60_000 });
  const regions = useRegions();
  const product = products.data?.items.find((p) => p.id === 'vpn-gateway');
  return (
    <Page title={t('buy.title')} lead={t('buy.lead')}>
      {products.isPending || regions.isPending ? <Skeleton active paragraph={{ rows: 10 }} /> : null}
      {products.isError ? <ErrorState error={products.error} retry={() => void products.refetch()} /> : null}
      {products.isSuccess && !product ? (
        <EmptyState title={t('buy.nothing')} text={t('buy.nothing_text')} />
      ) : null}
      {product && product.offers.length > 0 && regions.data ? <Choosing product={product} /> : null}
    </Page>
  );
}

/** The second smallest of each option: enough to begin with. */
function sensible(offer: Offer): Record<string, string> {
  return Object.fromEntries(offer.options.map((o) => [o.id, (o.values[1] ?? o.values[0])?.value ?? '']));
}

/** The quote of a choice; `stale` until it is the answer to the choice as it is now. */
function useQuote(choice: Choice | undefined) {
  const [request, setRequest] = useState<QuoteRequest>();
  const text = JSON.stringify(choice ? toRequest(choice) : null);
  useEffect(() => {
    // One request after a run of clicks.
    const timer = setTimeout(() => setRequest((JSON.parse(text) as QuoteRequest | null) ?? undefined), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({
    queryKey: ['quote', request],
    queryFn: () => api.shop.quote(request as QuoteRequest),
    enabled: Boolean(request),
    placeholderData: (last) => last,
    refetchInterval: 10 * 60_000, // of a quote's 15 minutes
    retry: false,
  });
  const asked = request ? JSON.stringify(request) === text : false;
  const { data, error, refetch } = query;
  return { data, error, refetch, stale: !asked || query.isFetching || query.isPlaceholderData };
}

function toRequest(c: Choice): QuoteRequest {
  return {
    kind: 'new',
    product: 'vpn-gateway',
    region: c.region,
    options: c.options,
    cycle: c.cycle,
    count: 1,
  };
}

function Choosing({ product }: { product: Product }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  const format = useFormat();
  const [form] = Form.useForm<Choice>();
  const networks = useNetworks();
  const first = product.offers[0] as Offer;
  const initial = useMemo(
    () => ({ region: first.region, options: sensible(first), cycle: 1, name: '', network: undefined }),
    [first],
  );
  const choice = Form.useWatch<Choice>([], form);
  const offer = product.offers.find((o) => o.region === choice?.region) ?? first;
  const quote = useQuote(choice?.region ? choice : undefined);
  const nets = useMemo(
    () => networks.data?.items.filter((n) => n.region === offer.region) ?? [],
    [networks.data, offer.region],
  );
  const identified = useIdentified(offer.region);
  const place = useCreate(
    (c: Choice, key) =>
      api.shop.place(
        {
          ...toRequest(c),
          quote_hash: quote.data?.quote_hash ?? '',
          configuration: { name: c.name.trim(), network: c.network },
        },
        key,
      ),
    [['orders']],
  );
  const submit = () =>
    place.mutate(form.getFieldsValue(true) as Choice, {
      onSuccess: (order) => void navigate(`/orders/${order.id}`),
      onError: () => void quote.refetch(),
    });

  useEffect(() => {
    const current = form.getFieldValue('network') as string | undefined;
    if (nets.length > 0 && !nets.some((n) => n.id === current)) form.setFieldValue('network', nets[0]?.id);
  }, [form, nets]);

  return (
    <WizardForm
      form={form}
      initialValues={initial}
      submit={t('buy.place')}
      submitting={place.isPending}
      onSubmit={submit}
      error={place.error ? <ProblemAlert error={place.error} /> : null}
      summary={<Summary quote={quote.data} stale={quote.stale} error={quote.error} choice={choice} />}
      brief={
        <span className="num" style={{ opacity: quote.stale ? 0.55 : 1 }}>
          <span className="quiet small">{t('buy.total')}</span>{' '}
          <strong>{format.money(quote.data?.total)}</strong>
        </span>
      }
      steps={[
        {
          key: 'size',
          title: t('buy.step_size'),
          content: <Size product={product} offer={offer} />,
          fields: ['region', 'cycle'],
        },
        {
          key: 'place',
          title: t('buy.step_name'),
          ready: identified && me.email_verified && Boolean(quote.data) && !quote.stale,
          fields: ['name', 'network'],
          content: (
            <>
              <Form.Item
                name="name"
                label={t('gateway.name')}
                extra={t('gateway.name_extra')}
                rules={[{ required: true, whitespace: true, max: 64, message: t('field.required') }]}
              >
                <Input maxLength={64} placeholder={t('gateway.name_example')} autoComplete="off" />
              </Form.Item>
              <Form.Item
                name="network"
                label={t('gateway.network')}
                extra={t('gateway.network_extra')}
                rules={[{ required: true, message: t('field.required') }]}
              >
                <Select
                  loading={networks.isPending}
                  options={nets.map((n) => ({ value: n.id, label: `${n.name} (${n.prefixes.join(', ')})` }))}
                  notFoundContent={t('gateway.no_network')}
                />
              </Form.Item>
              {identified ? null : <IdentityFirst />}
            </>
          ),
        },
      ]}
    />
  );
}

/** Whether the law's condition for the region is met. The API asks again. */
function useIdentified(region: string): boolean {
  const needed = useRegions().data?.items.find((r) => r.id === region)?.requires_real_name;
  const verification = useVerification();
  return !needed || verification.data?.state === 'verified';
}

function IdentityFirst() {
  const { t } = useTranslation();
  return (
    <Alert
      style={{ marginBottom: 16 }}
      type="warning"
      showIcon
      title={t('buy.identity')}
      description={t('buy.identity_text')}
      action={
        <Link to="/real-name">
          <Button size="small">{t('nav.realname')}</Button>
        </Link>
      }
    />
  );
}

function Size({ product, offer }: { product: Product; offer: Offer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { language } = useSettings();
  const regions = useRegions().data?.items ?? [];
  const places = product.offers.map((o) => {
    const region = regions.find((r) => r.id === o.region);
    return {
      value: o.region,
      title: region ? textOf(region.name, language) : o.region,
      detail: region?.requires_real_name ? t('buy.identity_short') : t('buy.no_identity'),
    };
  });
  return (
    <>
      <Form.Item name="region" label={t('common.region')}>
        <Choices wide label={t('common.region')} options={places} />
      </Form.Item>
      {offer.options.map((o) => (
        <Form.Item key={o.id} name={['options', o.id]} label={t(`option.${o.id}`)}>
          <Choices
            label={t(`option.${o.id}`)}
            options={o.values.map((v) => ({
              value: v.value,
              title: v.value === '0' ? t('option.without') : t(`option.${o.id}_value`, { value: v.value }),
              detail: t('buy.per_month', { amount: format.money(v.monthly) }),
            }))}
          />
        </Form.Item>
      ))}
      <Form.Item name="cycle" label={t('buy.cycle')}>
        <Select
          style={{ maxWidth: 240 }}
          options={months
            .filter((m) => m <= product.max_cycle)
            .map((m) => ({ value: m, label: t('buy.months', { count: m }) }))}
        />
      </Form.Item>
    </>
  );
}

interface SummaryProps {
  quote?: Quote;
  stale: boolean;
  error: unknown;
  choice?: Choice;
}

function Summary({ quote, stale, error, choice }: SummaryProps) {
  const { t } = useTranslation();
  const format = useFormat();
  if (error) return <ProblemAlert error={error} />;
  return (
    <Card title={t('buy.summary')}>
      <div aria-live="polite" aria-busy={stale} style={{ opacity: stale ? 0.55 : 1 }}>
        {quote?.lines.flatMap((line) =>
          line.items.map((item) => (
            <div className="priceline" key={`${line.number}.${item.option ?? ''}`}>
              <span>
                {item.option
                  ? `${t(`option.${item.option}`)} ${t(`option.${item.option}_value`, { value: item.value })}`
                  : t('buy.base')}
              </span>
              <span className="num">{format.money(item.amount)}</span>
            </div>
          )),
        )}
        {quote ? (
          <>
            <div
              className="priceline quiet"
              style={{ borderTop: '1px solid var(--line)', marginTop: 8, paddingTop: 10 }}
            >
              <span>{t('buy.cycle')}</span>
              <span>{t('buy.months', { count: choice?.cycle ?? 1 })}</span>
            </div>
            <div className="priceline" style={{ alignItems: 'baseline' }}>
              <span>{t('buy.total')}</span>
              <span className="total num">{format.money(quote.total)}</span>
            </div>
            <p className="small quiet" style={{ margin: '8px 0 0' }}>
              {t('buy.quote_until', { time: format.time(quote.expires_at) })}
            </p>
          </>
        ) : (
          <Skeleton active title={false} paragraph={{ rows: 4 }} />
        )}
      </div>
    </Card>
  );
}
