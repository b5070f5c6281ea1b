import { useState } from 'react';
import { Select } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Invoice } from '../api/types';
import { Page } from '../components/page';
import { ResourceTable, type Column } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useFormat } from '../lib/use';

export type InvoiceKind = Invoice['kind'];
const kinds: InvoiceKind[] = ['invoice', 'credit_note'];

/** The columns of documents, for the customer and for staff. */
export function useInvoiceColumns(): Column<Invoice>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    {
      key: 'kind',
      title: t('invoice.kind'),
      cell: (d) => t(`invoice.kind_${d.kind}`),
      text: (d) => t(`invoice.kind_${d.kind}`),
    },
    {
      key: 'state',
      title: t('common.state'),
      cell: (d) => <StateDot kind="invoice" state={d.state} />,
      text: (d) => t(`state.invoice.${d.state}`),
    },
    {
      key: 'for',
      title: t('invoice.for'),
      cell: (d) => t(`invoice.for_${d.order_kind}`),
      text: (d) => t(`invoice.for_${d.order_kind}`),
    },
    {
      key: 'total',
      title: t('invoice.total'),
      align: 'right',
      cell: (d) => <span className="num">{format.money(signed(d.kind, d.total))}</span>,
      text: (d) => signed(d.kind, d.total).amount,
    },
    {
      key: 'issued',
      title: t('invoice.issued_at'),
      cell: (d) => <span className="num">{format.time(d.issued_at)}</span>,
      text: (d) => d.issued_at,
    },
    {
      key: 'order',
      title: t('invoice.order'),
      cell: (d) => <span className="mono">{d.order}</span>,
      text: (d) => d.order,
      optional: true,
    },
  ];
}

/** What a credit note gives back is written below zero. */
export const signed = (kind: InvoiceKind, m: Invoice['total']) =>
  kind === 'credit_note' ? { ...m, amount: `-${m.amount}` } : m;

export function KindSelect({ kind, choose }: { kind?: InvoiceKind; choose: (k?: InvoiceKind) => void }) {
  const { t } = useTranslation();
  return (
    <Select
      allowClear
      aria-label={t('invoice.kind')}
      placeholder={t('invoice.all_kinds')}
      style={{ width: 220 }}
      value={kind}
      onChange={choose}
      options={kinds.map((k) => ({ value: k, label: t(`invoice.kind_${k}`) }))}
    />
  );
}

/** The customer's invoices and credit notes, newest first. */
export function Invoices() {
  const { t } = useTranslation();
  const columns = useInvoiceColumns();
  const [kind, setKind] = useState<InvoiceKind>();
  return (
    <Page title={t('nav.invoices')} lead={`${t('invoice.lead')} ${t('invoice.not_fapiao')}`}>
      <ResourceTable<Invoice>
        label={t('nav.invoices')}
        queryKey={['invoices', 'list', kind]}
        load={(query) => api.shop.invoices({ ...query, kind })}
        refresh={() => 30_000}
        rowKey={(d) => d.id}
        nameTitle={t('invoice.number')}
        nameText={(d) => d.number}
        name={(d) => (
          <Link to={`/invoices/${d.id}`} className="mono">
            {d.number}
          </Link>
        )}
        filters={<KindSelect kind={kind} choose={setKind} />}
        columns={columns}
        csv="invoices"
        empty={
          kind
            ? { title: t('invoice.none_found'), text: t('invoice.none_found_text') }
            : { title: t('invoice.none'), text: t('invoice.none_text') }
        }
      />
    </Page>
  );
}
