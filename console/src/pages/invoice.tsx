import { Button, Card, Skeleton } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { InvoiceDetail, InvoiceLine } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Facts, type Fact } from '../components/facts';
import { Page } from '../components/page';
import { ErrorState } from '../components/problem';
import { StateDot } from '../components/state-dot';
import { useSettings } from '../lib/settings';
import { useFormat } from '../lib/use';
import { signed } from './invoices';

/** One invoice or credit note of the customer. */
export function InvoicePage() {
  return <Shown load={api.shop.invoice} base="/invoices" nav="invoices" />;
}

/** One of anybody's, for staff. */
export function AdminInvoice() {
  return <Shown load={api.admin.invoice} base="/admin/invoices" nav="admin_invoices" />;
}

interface Props {
  load: typeof api.shop.invoice;
  base: '/invoices' | '/admin/invoices';
  nav: 'invoices' | 'admin_invoices';
}

function Shown({ load, base, nav }: Props) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const { id = '' } = useParams();
  const found = useQuery({ queryKey: [base, id, language], queryFn: () => load(id, language) });
  if (found.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (found.isError) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  const d = found.data;
  return (
    <Page
      title={`${t(`invoice.kind_${d.kind}`)} ${d.number}`}
      trail={[{ title: t(`nav.${nav}`), to: base }]}
      lead={t('invoice.not_fapiao')}
      action={
        <Button
          type="primary"
          icon={<DownloadOutlined />}
          href={`/api/v1${base}/${d.id}/pdf?language=${language}`}
          download
        >
          {t('invoice.pdf')}
        </Button>
      }
    >
      <div className="withside">
        <div className="stack">
          <Lines document={d} />
          {d.credit_notes.length > 0 ? <Credits document={d} base={base} /> : null}
        </div>
        <aside className="side">
          <div className="stack">
            <About document={d} base={base} />
            <Parties document={d} />
          </div>
        </aside>
      </div>
    </Page>
  );
}

function Lines({ document: d }: { document: InvoiceDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const money = (m: InvoiceDetail['total']) => <span className="num">{format.money(signed(d.kind, m))}</span>;
  return (
    <Card title={t('invoice.lines')}>
      <div className="stack">
        {d.lines.map((l, i) => (
          <div className="spread" key={i} style={{ alignItems: 'flex-start' }}>
            <LineText line={l} />
            {money(l.amount)}
          </div>
        ))}
        <Facts
          facts={[
            ...(d.tax_percent
              ? [
                  { label: t('invoice.net'), value: money(d.net) },
                  { label: t('invoice.tax', { rate: d.tax_percent }), value: money(d.tax) },
                ]
              : []),
            { label: t('invoice.total'), value: <b>{money(d.total)}</b> },
            ...(Number(d.credited.amount) > 0
              ? [
                  {
                    label: t('invoice.credited'),
                    value: <span className="num">{format.money(d.credited)}</span>,
                  },
                ]
              : []),
          ]}
        />
      </div>
    </Card>
  );
}

/** What a line is of, in the words that it was sold by. */
export function LineText({ line: l }: { line: InvoiceLine }) {
  const { t } = useTranslation();
  return (
    <div>
      <div>
        {l.product_name} · {l.region_name}
      </div>
      <div className="small quiet">
        {[l.chosen, l.months ? t('invoice.months', { count: l.months }) : ''].filter(Boolean).join(' · ')}
      </div>
    </div>
  );
}

function About({ document: d, base }: { document: InvoiceDetail; base: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const staff = base.startsWith('/admin');
  const facts: Fact[] = [
    { label: t('common.state'), value: <StateDot kind="invoice" state={d.state} /> },
    { label: t('invoice.for'), value: t(`invoice.for_${d.order_kind}`) },
    { label: t('invoice.issued_at'), value: format.time(d.issued_at) },
    {
      label: t(d.kind === 'invoice' ? 'invoice.paid_at' : 'invoice.returned_at'),
      value: format.time(d.paid_at),
    },
    {
      label: t('invoice.order'),
      value: staff ? (
        <CopyText text={d.order} wrap />
      ) : (
        <Link to={`/orders/${d.order}`} className="mono" style={{ overflowWrap: 'anywhere' }}>
          {d.order}
        </Link>
      ),
    },
  ];
  if (d.refund)
    facts.push({
      label: t('invoice.refund'),
      value: staff ? (
        <Link to={`/admin/refunds/${d.refund}`}>{t('invoice.show')}</Link>
      ) : (
        <CopyText text={d.refund} wrap />
      ),
    });
  if (d.invoice)
    facts.push({
      label: t('invoice.of'),
      value: <Link to={`${base}/${d.invoice}`}>{t('invoice.show')}</Link>,
    });
  return (
    <Card title={t('invoice.about')}>
      <Facts facts={facts} />
    </Card>
  );
}

function Parties({ document: d }: { document: InvoiceDetail }) {
  const { t } = useTranslation();
  const s = d.seller;
  return (
    <Card title={t('invoice.seller')}>
      <p style={{ marginTop: 0, overflowWrap: 'anywhere' }}>
        {[s.legal_name, s.address, s.mail, s.phone].filter(Boolean).map((line) => (
          <span key={line} style={{ display: 'block' }}>
            {line}
          </span>
        ))}
      </p>
      <Facts
        facts={[
          ...(s.tax_number ? [{ label: t('invoice.tax_number'), value: s.tax_number }] : []),
          { label: t('invoice.buyer'), value: <CopyText text={d.account} wrap /> },
        ]}
      />
    </Card>
  );
}

function Credits({ document: d, base }: { document: InvoiceDetail; base: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card title={t('invoice.credits')}>
      <Facts
        facts={d.credit_notes.map((c) => ({
          label: format.date(c.issued_at),
          value: (
            <span className="row">
              <Link to={`${base}/${c.id}`} className="mono">
                {c.number}
              </Link>
              <span className="num">{format.money(signed('credit_note', c.total))}</span>
            </span>
          ),
        }))}
      />
    </Card>
  );
}
