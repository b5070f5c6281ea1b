import { useState } from 'react';
import { Alert, Button, Card, Checkbox, Modal, Popconfirm, Radio, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { Problem } from '../api/http';
import type { Order, Refund, RefundOffer, RefundTarget } from '../api/types';
import { settling } from '../lib/states';
import { useChange, useCreate, useFormat, useToggle } from '../lib/use';
import { CopyText } from './copy-text';
import { Facts } from './facts';
import { ErrorState, ProblemAlert, ProblemCode, useSentence } from './problem';
import { RefundSteps } from './refund-steps';
import { useRefundProblem } from './refund-words';
import { StateDot } from './state-dot';

const over = ['succeeded', 'rejected', 'cancelled'];
const open = (r: Refund) => !over.includes(r.state);

const staleOf = (order: string) => [
  ['order', order],
  ['orders'],
  ['refunds', order],
  ['refund-offer', order],
  ['wallet'],
];

/** What went back of a paid order, what is on its way, and what would go back now. */
export function OrderRefund({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const all = useQuery({
    queryKey: ['refunds', o.id],
    queryFn: () => api.shop.refunds(o.id),
    refetchInterval: (q) => (q.state.data?.items.some(moves) ? 2000 : false),
  });
  return (
    <Card title={t('refund.title')}>
      {all.isPending ? (
        <Skeleton active paragraph={{ rows: 3 }} title={false} aria-label={t('common.loading')} />
      ) : all.isError ? (
        <ErrorState error={all.error} retry={() => void all.refetch()} />
      ) : (
        <div className="stack">
          {all.data.items.map((r) => (
            <One key={r.number} refund={r} />
          ))}
          {all.data.items.some(open) || backWhole(o) ? null : <Offered order={o} />}
        </div>
      )}
    </Card>
  );
}

const backWhole = (o: Order) => o.state === 'refunding' || o.state === 'refunded';

/** Something still happens by itself: the money is on its way, or the services follow it. */
const moves = (r: Refund) =>
  settling('refund', r.state) ||
  (!r.ended_at && Boolean(r.suspended_at) && (r.state === 'succeeded' || r.state === 'cancelled'));

function One({ refund: r }: { refund: Refund }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problem = useRefundProblem();
  return (
    <div className="stack">
      <Facts
        facts={[
          { label: t('common.state'), value: <StateDot kind="refund" state={r.state} /> },
          { label: t('refund.amount'), value: <b>{format.money(r.amount)}</b> },
          { label: t('refund.target'), value: t(`refund.target_${r.target}`) },
          { label: t('refund.rule'), value: t(`refund.rule_${r.rule}`) },
          { label: t('refund.number'), value: <CopyText text={r.number} wrap /> },
        ]}
      />
      <RefundSteps refund={r} />
      {r.state === 'failed' ? (
        <Alert
          type="error"
          showIcon
          title={t('refund.failed')}
          description={
            <div className="stack">
              <span>
                {problem(r.problem)} {t('refund.failed_text')}
              </span>
              <Keep refund={r} />
            </div>
          }
        />
      ) : null}
      {r.state === 'rejected' ? (
        <Alert type="info" showIcon title={t('refund.rejected')} description={problem(r.problem)} />
      ) : null}
      {r.state === 'unknown' ? <Alert type="info" showIcon title={t('refund.unknown_text')} /> : null}
      {r.state === 'review' || r.state === 'requested' ? <Withdraw refund={r} /> : null}
    </div>
  );
}

/** Takes back a request on which nobody has decided. */
function Withdraw({ refund: r }: { refund: Refund }) {
  const { t } = useTranslation();
  const act = useChange(() => api.shop.cancelRefund(r.number), staleOf(r.order));
  return (
    <div>
      <p className="small quiet">{t('refund.review_text')}</p>
      <Popconfirm
        title={t('refund.withdraw_confirm')}
        okText={t('refund.withdraw')}
        cancelText={t('common.cancel')}
        onConfirm={() => act.mutate(undefined)}
      >
        <Button loading={act.isPending}>{t('refund.withdraw')}</Button>
      </Popconfirm>
      <ProblemAlert error={act.error} />
    </div>
  );
}

function Keep({ refund: r }: { refund: Refund }) {
  const { t } = useTranslation();
  const act = useChange(() => api.shop.keepService(r.number), staleOf(r.order));
  return (
    <div>
      <Popconfirm
        title={t('refund.keep_confirm')}
        okText={t('refund.keep')}
        cancelText={t('common.cancel')}
        onConfirm={() => act.mutate(undefined)}
      >
        <Button type="primary" loading={act.isPending}>
          {t('refund.keep')}
        </Button>
      </Popconfirm>
      <ProblemAlert error={act.error} />
    </div>
  );
}

/** What the API refuses to offer is not an error: it says why nothing goes back now. */
function Offered({ order: o }: { order: Order }) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const offer = useQuery({ queryKey: ['refund-offer', o.id], queryFn: () => api.shop.refundOffer(o.id) });
  if (offer.isPending)
    return <Skeleton active paragraph={{ rows: 2 }} title={false} aria-label={t('common.loading')} />;
  if (offer.isError) {
    if (!(offer.error instanceof Problem && offer.error.code.startsWith('payment.')))
      return <ErrorState error={offer.error} retry={() => void offer.refetch()} />;
    return (
      <div>
        <p style={{ margin: 0 }}>{sentence(offer.error)}</p>
        <ProblemCode error={offer.error} />
      </div>
    );
  }
  return <Offer order={o} offer={offer.data} />;
}

/** What could not be delivered is no service that ends. */
const endsServices = (offer: RefundOffer) => offer.services_ending > 0 && offer.rule !== 'undelivered';

const namesOf = (o: Order) => o.lines.map((l) => l.configuration?.name || l.resource || l.id);

function Offer({ order: o, offer }: { order: Order; offer: RefundOffer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [asking, ask, close] = useToggle();
  return (
    <div className="stack">
      <Facts
        facts={[
          { label: t('refund.now'), value: <b>{format.money(offer.amount)}</b> },
          { label: t('refund.rule'), value: t(`refund.rule_${offer.rule}`) },
          { label: t('refund.target'), value: offer.targets.map((v) => t(`refund.target_${v}`)).join(', ') },
          ...(endsServices(offer)
            ? [{ label: t('refund.ending'), value: namesOf(o).slice(0, 10).join(', ') }]
            : []),
          ...(offer.until ? [{ label: t('refund.until'), value: format.time(offer.until) }] : []),
          ...(offer.rule === 'full'
            ? [{ label: t('refund.left'), value: t('refund.left_text', { count: offer.left }) }]
            : []),
        ]}
      />
      <div>
        <Button onClick={ask}>{t('refund.ask')}</Button>
      </div>
      {asking ? <Ask order={o} offer={offer} close={close} /> : null}
    </div>
  );
}

function Ask({ order: o, offer, close }: { order: Order; offer: RefundOffer; close: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const targets = offer.targets as RefundTarget[];
  const [target, setTarget] = useState(targets[0] ?? 'original');
  const [understood, setUnderstood] = useState(false);
  const ends = endsServices(offer);
  const names = namesOf(o);
  const act = useCreate((to: RefundTarget, key) => api.shop.askRefund(o.id, to, key), staleOf(o.id));
  return (
    <Modal
      open
      title={t('refund.ask')}
      okText={t('refund.ask_amount', { amount: format.money(offer.amount) })}
      cancelText={t('common.cancel')}
      okButtonProps={{ danger: ends, loading: act.isPending, disabled: ends && !understood }}
      onOk={() => act.mutate(target, { onSuccess: close })}
      onCancel={close}
    >
      <div className="stack">
        <Facts
          facts={[
            { label: t('refund.amount'), value: <b>{format.money(offer.amount)}</b> },
            { label: t('refund.rule'), value: t(`refund.rule_${offer.rule}`) },
            ...(offer.wallet_share
              ? [{ label: t('refund.part_wallet'), value: format.money(offer.wallet_share) }]
              : []),
            ...(offer.gift_share
              ? [{ label: t('refund.part_gift'), value: format.money(offer.gift_share) }]
              : []),
          ]}
        />
        {offer.wallet_share || offer.gift_share ? (
          <p className="small quiet">{t('refund.part_text')}</p>
        ) : null}
        <Radio.Group
          aria-label={t('refund.target')}
          value={target}
          onChange={(e) => setTarget(e.target.value as RefundTarget)}
          style={{ display: 'flex', flexDirection: 'column', gap: 8 }}
          options={targets.map((v) => ({
            value: v,
            label: (
              <>
                {t(`refund.target_${v}`)}
                <br />
                <span className="small quiet">{t(`refund.target_${v}_text`)}</span>
              </>
            ),
          }))}
        />
        {ends ? (
          <>
            <Alert
              type="warning"
              showIcon
              title={t('refund.ends', { count: offer.services_ending })}
              description={
                <>
                  <ul style={{ margin: '0 0 8px', paddingInlineStart: 20 }}>
                    {names.slice(0, 10).map((n) => (
                      <li key={n}>{n}</li>
                    ))}
                    {names.length > 10 ? <li>{t('refund.and_more', { count: names.length - 10 })}</li> : null}
                  </ul>
                  {t('refund.ends_text')}
                </>
              }
            />
            <Checkbox checked={understood} onChange={(e) => setUnderstood(e.target.checked)}>
              {t('refund.understood')}
            </Checkbox>
          </>
        ) : null}
        <ProblemAlert error={act.error} />
      </div>
    </Modal>
  );
}
