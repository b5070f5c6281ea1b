import { useState } from 'react';
import { Button, Card, Select, Skeleton, Tabs } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Bill, BillRow, BillSum } from '../api/types';
import { Facts } from '../components/facts';
import { Page } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { ResourceTable, type Column } from '../components/resource-table';
import { useSettings } from '../lib/settings';
import { useFormat } from '../lib/use';
import { LineText } from './invoice';

/** What each month came to, and of what. */
export function Bills() {
  const { t } = useTranslation();
  const months = useQuery({ queryKey: ['bills'], queryFn: api.shop.bills });
  const [chosen, setMonth] = useState<string>();
  if (months.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (months.isError) return <ErrorState error={months.error} retry={() => void months.refetch()} />;
  const all = months.data.items;
  const month = chosen ?? all[0]?.month;
  if (!month)
    return (
      <Page title={t('nav.bills')} lead={t('bill.lead')}>
        <EmptyState title={t('bill.none')} text={t('bill.none_text')} />
      </Page>
    );
  return (
    <Page
      title={t('nav.bills')}
      lead={t('bill.lead')}
      action={
        <Select
          aria-label={t('bill.month')}
          style={{ width: 140 }}
          value={month}
          onChange={setMonth}
          options={all.map((m) => ({ value: m.month ?? '', label: m.month }))}
        />
      }
    >
      <Month key={month} month={month} />
    </Page>
  );
}

function Month({ month }: { month: string }) {
  const { t } = useTranslation();
  const { language } = useSettings();
  const format = useFormat();
  const bill = useQuery({
    queryKey: ['bill', month, language],
    queryFn: () => api.shop.bill(month, language),
  });
  if (bill.isPending) return <Skeleton active paragraph={{ rows: 6 }} />;
  if (bill.isError) return <ErrorState error={bill.error} retry={() => void bill.refetch()} />;
  const b = bill.data;
  return (
    <>
      <Card
        title={month}
        extra={
          <Button
            icon={<DownloadOutlined />}
            href={`/api/v1/bills/export?month=${month}&language=${language}`}
            download
          >
            {t('bill.export')}
          </Button>
        }
      >
        <Facts
          facts={[
            { label: t('bill.charged'), value: <span className="num">{format.money(b.charged)}</span> },
            { label: t('bill.credited'), value: <span className="num">{format.money(b.credited)}</span> },
            { label: t('bill.total'), value: <b className="num">{format.money(b.total)}</b> },
          ]}
        />
      </Card>
      <Tabs
        items={[
          { key: 'lines', label: t('bill.by_line'), children: <Lines bill={b} language={language} /> },
          {
            key: 'orders',
            label: t('bill.by_order'),
            children: (
              <Sums
                what="orders"
                bill={b}
                title={t('invoice.order')}
                name={(s) => s.order ?? ''}
                link={(s) => `/orders/${s.order}`}
              />
            ),
          },
          {
            key: 'resources',
            label: t('bill.by_resource'),
            children: (
              <Sums
                what="resources"
                bill={b}
                title={t('bill.resource')}
                name={(s) => s.resource ?? t('bill.no_resource')}
                link={(s) => (s.resource ? `/vpn-gateways/${s.resource}` : undefined)}
              />
            ),
          },
        ]}
      />
    </>
  );
}

function Lines({ bill, language }: { bill: Bill; language: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const columns: Column<BillRow>[] = [
    {
      key: 'item',
      title: t('invoice.item'),
      cell: (r) => <LineText line={r} />,
      text: (r) => `${r.product_name} ${r.region_name} ${r.chosen}`,
    },
    {
      key: 'for',
      title: t('invoice.for'),
      cell: (r) => t(r.kind === 'credit_note' ? 'invoice.kind_credit_note' : `invoice.for_${r.order_kind}`),
      text: (r) => t(r.kind === 'credit_note' ? 'invoice.kind_credit_note' : `invoice.for_${r.order_kind}`),
    },
    {
      key: 'resource',
      title: t('bill.resource'),
      cell: (r) => <span className="mono">{r.resource ?? '–'}</span>,
      text: (r) => r.resource,
      optional: true,
    },
    {
      key: 'issued',
      title: t('invoice.issued_at'),
      cell: (r) => <span className="num">{format.time(r.issued_at)}</span>,
      text: (r) => r.issued_at,
    },
    {
      key: 'amount',
      title: t('invoice.amount'),
      align: 'right',
      cell: (r) => <span className="num">{format.money(r.amount)}</span>,
      text: (r) => r.amount.amount,
    },
  ];
  return (
    <ResourceTable<BillRow>
      label={t('bill.by_line')}
      queryKey={['bill', bill.month, language, 'lines']}
      load={async () => ({ items: bill.lines, next_cursor: '' })}
      rowKey={(r) => `${r.id} ${bill.lines.indexOf(r)}`}
      nameTitle={t('invoice.number')}
      nameText={(r) => r.number}
      name={(r) => (
        <Link to={`/invoices/${r.id}`} className="mono">
          {r.number}
        </Link>
      )}
      columns={columns}
      empty={{ title: t('bill.none') }}
    />
  );
}

interface SumsProps {
  what: 'orders' | 'resources';
  bill: Bill;
  title: string;
  name: (s: BillSum) => string;
  link: (s: BillSum) => string | undefined;
}

function Sums({ what, bill, title, name, link }: SumsProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const money = (key: 'charged' | 'credited' | 'total', label: string): Column<BillSum> => ({
    key,
    title: label,
    align: 'right',
    cell: (s) => <span className="num">{format.money(s[key])}</span>,
    text: (s) => s[key].amount,
  });
  return (
    <ResourceTable<BillSum>
      label={title}
      queryKey={['bill', bill.month, what]}
      load={async () => ({ items: bill[what], next_cursor: '' })}
      rowKey={name}
      nameTitle={title}
      nameText={name}
      name={(s) => {
        const to = link(s);
        return to ? (
          <Link to={to} className="mono" style={{ overflowWrap: 'anywhere' }}>
            {name(s)}
          </Link>
        ) : (
          name(s)
        );
      }}
      columns={[
        { key: 'count', title: t('bill.count'), align: 'right', cell: (s) => s.count, text: (s) => s.count },
        money('charged', t('bill.charged')),
        money('credited', t('bill.credited')),
        money('total', t('bill.total')),
      ]}
      csv={`bill-${bill.month}-${what}`}
      empty={{ title: t('bill.none') }}
    />
  );
}
