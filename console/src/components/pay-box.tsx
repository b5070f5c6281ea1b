// Paying an order: the method, what the recipient will be told, and then what the gateway asks the
// browser to do. A browser that comes back proves nothing: the state comes from the API.

import { useEffect, useState, type ReactNode } from 'react';
import { Alert, Button, Card, QRCode, Skeleton } from 'antd';
import { AlipayCircleFilled, BankOutlined, CreditCardOutlined, WechatFilled } from '@ant-design/icons';
import { useQuery, type QueryKey } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { gateCodes, Problem } from '../api/http';
import type { Money, Order, PaymentMethod, StartedPayment } from '../api/types';
import { formatSpan } from '../lib/format';
import { leave } from '../lib/instruction';
import { useChange, useCreate, useFormat, useNow } from '../lib/use';
import { Abroad, useAbroad } from './abroad';
import { Choices } from './choices';
import { complete, ConsentAct, noConsent, usePrompt } from './consent-act';
import { CopyText } from './copy-text';
import { Facts } from './facts';
import { EmptyState, ErrorState, ProblemAlert } from './problem';
import { StateDot } from './state-dot';

export function PayBox({ order }: { order: Order }) {
  const { t } = useTranslation();
  const methods = useQuery({ queryKey: ['payment-methods'], queryFn: api.shop.methods, staleTime: 60_000 });
  return (
    <Card title={t('pay.title')} extra={<TimeLeft until={order.expires_at} />}>
      {methods.isPending ? <Skeleton active /> : null}
      {methods.isError ? <ErrorState error={methods.error} retry={() => void methods.refetch()} /> : null}
      {methods.data?.items.length === 0 ? (
        <EmptyState title={t('pay.no_method')} text={t('pay.no_method_text')} />
      ) : null}
      {methods.data?.items.length ? <OrderPaying order={order} methods={methods.data.items} /> : null}
    </Card>
  );
}

function TimeLeft({ until }: { until?: string }) {
  const { t } = useTranslation();
  const now = useNow();
  if (!until) return null;
  return (
    <span className="num quiet" role="timer">
      {t('pay.left', { time: formatSpan(Date.parse(until) - now) })}
    </span>
  );
}

/** By the kind of payment, or of the provider. */
const glyphs: Record<string, React.ReactNode> = {
  alipay: <AlipayCircleFilled aria-hidden="true" style={{ color: '#1677ff' }} />,
  wxpay: <WechatFilled aria-hidden="true" style={{ color: '#07a35a' }} />,
  manual: <BankOutlined aria-hidden="true" />,
  wechatpay: <WechatFilled aria-hidden="true" style={{ color: '#07a35a' }} />,
};

/** From the wallet alone, with all of it and the rest by a method, or by a method alone. */
type Way = 'wallet' | 'mixed' | 'method';

function OrderPaying({ order, methods }: { order: Order; methods: PaymentMethod[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const wallet = useQuery({ queryKey: ['wallet'], queryFn: api.shop.wallet, retry: false });
  const spendable = cents(wallet.data?.balance) + cents(wallet.data?.gift);
  const covered = spendable >= cents(order.total);
  const ways: Way[] = spendable <= 0 ? ['method'] : [covered ? 'wallet' : 'mixed', 'method'];
  const [chosen, setWay] = useState<Way>();
  const way = chosen && ways.includes(chosen) ? chosen : (ways[0] ?? 'method');
  const rest = yuan(cents(order.total) - spendable, order.total);
  const due = way === 'mixed' ? rest : order.total;
  return (
    <div className="stack">
      {ways.length > 1 ? (
        <Choices
          label={t('wallet.way')}
          value={way}
          onChange={(v) => setWay(v as Way)}
          options={ways.map((w) => ({
            value: w,
            title: t(`wallet.way_${w}`),
            detail:
              w === 'method'
                ? t('wallet.way_method_text')
                : t(`wallet.way_${w}_text`, {
                    amount: format.money(yuan(spendable, order.total)),
                    rest: format.money(rest),
                  }),
          }))}
        />
      ) : null}
      {way === 'wallet' ? (
        <FromWallet order={order} />
      ) : (
        <Paying
          key={way}
          methods={methods}
          due={due}
          pay={(id, key) => api.shop.pay(order.id, id, way === 'mixed', key)}
          stale={[['payments'], ['wallet'], ['order', order.id]]}
          beside={<Attempts order={order.id} />}
        />
      )}
    </div>
  );
}

const cents = (m?: Money) => Math.round(Number(m?.amount ?? 0) * 100);
const yuan = (n: number, like: Money): Money => ({
  amount: (Math.max(n, 0) / 100).toFixed(2),
  currency: like.currency,
});

function FromWallet({ order }: { order: Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  const pay = useCreate(
    (id: string, key) => api.shop.payFromWallet(id, key),
    [['order', order.id], ['orders'], ['wallet']],
  );
  return (
    <>
      <ProblemAlert error={pay.error} />
      <div>
        <Button type="primary" size="large" loading={pay.isPending} onClick={() => pay.mutate(order.id)}>
          {t('wallet.pay', { amount: format.money(order.total) })}
        </Button>
      </div>
    </>
  );
}

interface PayingProps {
  methods: PaymentMethod[];
  due: Money;
  pay: (method: string, key: string) => Promise<StartedPayment>;
  stale: QueryKey[];
  beside?: ReactNode;
  disabled?: boolean;
}

/** Chooses a method, begins the payment, and shows what the gateway asks for. */
export function Paying({ methods, due, pay, stale, beside, disabled }: PayingProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const [chosen, setChosen] = useState(methods[0]?.id ?? '');
  const method = methods.find((m) => m.id === chosen);
  const abroad = useAbroad(method && method.kind !== 'manual' ? `pay.${method.kind}` : '');
  const start = useCreate((id: string, key) => abroad.give().then(() => pay(id, key)), stale);
  useEffect(() => {
    if (start.data) leave(start.data.instruction);
  }, [start.data]);

  return (
    <div className="stack">
      <Choices
        label={t('pay.method')}
        value={chosen}
        onChange={setChosen}
        options={methods.map((m) => ({
          value: m.id,
          title: (
            <span className="row" style={{ flexWrap: 'nowrap' }}>
              {glyphs[m.type] ?? glyphs[m.kind] ?? <CreditCardOutlined aria-hidden="true" />}
              {t(`pay.type_${m.type || 'cashier'}`, { defaultValue: m.type })}
            </span>
          ),
          detail: t(`pay.via_${m.kind}`, { defaultValue: m.kind }),
        }))}
      />
      <p className="small quiet" style={{ margin: 0 }}>
        {t(method?.kind === 'manual' ? 'pay.told_manual' : 'pay.told')}
      </p>
      <Abroad abroad={abroad} />
      {method && gated(start.error) ? (
        <Share key={method.purpose} purpose={method.purpose} done={() => start.mutate(method.id)} />
      ) : (
        <ProblemAlert error={start.error} />
      )}
      {start.data ? <Instructed started={start.data} /> : null}
      <div className="row">
        <Button
          type="primary"
          size="large"
          loading={start.isPending}
          disabled={!method || !abroad.ready || disabled}
          onClick={() => start.mutate(chosen)}
        >
          {t('pay.go', { amount: format.money(due) })}
        </Button>
        {beside}
      </div>
    </div>
  );
}

/** The recipient decides itself what it does with data: the choice is a separate act. */
function gated(error: unknown): boolean {
  return error instanceof Problem && gateCodes.includes(error.code);
}

function Share({ purpose, done }: { purpose: string; done: () => void }) {
  const { t } = useTranslation();
  const prompt = usePrompt(purpose);
  const [state, setState] = useState(noConsent);
  const act = useChange(async () => {
    await api.privacy.decide({ token: prompt.data?.token ?? '', decision: 'grant' });
    done();
  });
  return (
    <>
      <Alert type="info" showIcon title={t('pay.share')} />
      <ConsentAct prompt={prompt} value={state} onChange={setState} />
      <ProblemAlert error={act.error} />
      <div>
        <Button
          type="primary"
          loading={act.isPending}
          disabled={!complete(prompt.data, state)}
          onClick={() => act.mutate(undefined)}
        >
          {t('consent.accept')}
        </Button>
      </div>
    </>
  );
}

function Instructed({ started }: { started: StartedPayment }) {
  const { t } = useTranslation();
  const { qr, kind, fields } = started.instruction;
  if (kind === 'transfer') return <TransferTo fields={fields ?? {}} />;
  if (!qr) return <Alert type="info" showIcon title={t('pay.leaving')} />;
  return (
    <div className="stack" style={{ alignItems: 'center' }}>
      <span className="qr">
        <QRCode
          aria-label={t('common.qr')}
          value={qr}
          type="svg"
          size={200}
          bordered={false}
          color="#000"
          bgColor="#fff"
        />
      </span>
      <span>{t('pay.scan')}</span>
    </div>
  );
}

/** The account and the reference of a bank transfer. */
function TransferTo({ fields }: { fields: Record<string, string> }) {
  const { t } = useTranslation();
  const shown = ['holder', 'bank', 'number', 'amount', 'reference'] as const;
  return (
    <Card size="small" title={t('transfer.to')}>
      <Facts
        facts={shown.map((name) => ({
          label: t(`transfer.${name}`),
          value: <CopyText text={fields[name] ?? ''} wrap />,
        }))}
      />
      <Alert type="warning" showIcon title={t('transfer.reference_text')} style={{ marginTop: 12 }} />
    </Card>
  );
}

/** What became of the last try. */
function Attempts({ order }: { order: string }) {
  const { t } = useTranslation();
  const payments = useQuery({
    queryKey: ['payments', order],
    queryFn: () => api.shop.payments(order),
    refetchInterval: 3000,
    retry: false,
  });
  const last = payments.data?.items[0];
  if (!last) return null;
  return (
    <span className="row quiet" aria-live="polite">
      {t('pay.last')} <StateDot kind="payment" state={last.state} />
    </span>
  );
}
