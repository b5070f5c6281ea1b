import { lazy, Suspense, useMemo, useState } from 'react';
import { Button, Card, Input, Skeleton, Table } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { BookAccount, BookDay } from '../api/types';
import { Page } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { ResourceTable, type Column } from '../components/resource-table';
import { useFormat } from '../lib/use';
import { today } from './admin-transfers';

const Chart = lazy(() => import('../components/chart'));

const day = 86_400_000;
const before = (date: string, days: number) =>
  new Date(Date.parse(date) - days * day).toISOString().slice(0, 10);

/** The books: what moved by day, the trial balance, and every posting as a file. */
export function AdminBooks() {
  const { t } = useTranslation();
  const [from, setFrom] = useState(() => before(today(), 29));
  const [to, setTo] = useState(today);
  const link = `/api/v1/admin/books/export?from=${from}&to=${to}`;
  return (
    <Page
      title={t('nav.admin_books')}
      lead={t('books.lead')}
      action={
        <Button icon={<DownloadOutlined />} href={link} download>
          {t('books.export')}
        </Button>
      }
    >
      <div className="row">
        <label className="row">
          {t('books.from')}
          <Input
            type="date"
            value={from}
            max={to}
            onChange={(e) => setFrom(e.target.value || from)}
            style={{ width: 160 }}
          />
        </label>
        <label className="row">
          {t('books.to')}
          <Input
            type="date"
            value={to}
            min={from}
            max={today()}
            onChange={(e) => setTo(e.target.value || to)}
            style={{ width: 160 }}
          />
        </label>
      </div>
      <Days from={from} to={to} />
      <Trial date={to} />
    </Page>
  );
}

const columns = ['received', 'topped_up', 'sold', 'recognised', 'returned', 'fees', 'given'] as const;
type Figure = (typeof columns)[number];

const drawn: { figure: Figure; color: { light: string; dark: string } }[] = [
  { figure: 'received', color: { light: '#1668dc', dark: '#3c89e8' } },
  { figure: 'sold', color: { light: '#d46b08', dark: '#f0994a' } },
  { figure: 'recognised', color: { light: '#389e0d', dark: '#6abe39' } },
];

/** One point for each day of the span, also for those on which nothing moved. */
export function points(days: BookDay[], figure: Figure, from: string, to: string): [number, number][] {
  const known = new Map(days.map((d) => [d.date, Number(d[figure].amount)]));
  const out: [number, number][] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += day)
    out.push([at, known.get(new Date(at).toISOString().slice(0, 10)) ?? 0]);
  return out;
}

function Days({ from, to }: { from: string; to: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const days = useQuery({
    queryKey: ['admin', 'books', 'days', from, to],
    queryFn: () => api.admin.bookDays(from, to),
  });
  const series = useMemo(
    () =>
      drawn.map((d) => ({
        name: t(`books.${d.figure}`),
        color: d.color,
        points: points(days.data?.items ?? [], d.figure, from, to),
      })),
    [days.data, from, to, t],
  );
  const span = useMemo<[number, number]>(() => [Date.parse(from), Date.parse(to)], [from, to]);
  const money = useMemo(
    () => (v: number) => format.money({ amount: v.toFixed(2), currency: 'CNY' }),
    [format],
  );
  return (
    <Card title={t('books.days')}>
      {days.isPending ? <Skeleton active /> : null}
      {days.isError ? <ErrorState error={days.error} retry={() => void days.refetch()} /> : null}
      {days.data?.items.length === 0 ? <EmptyState title={t('books.none')} /> : null}
      {days.data?.items.length ? (
        <>
          <Suspense fallback={<Skeleton active />}>
            <Chart series={series} format={money} label={t('books.days')} span={span} />
          </Suspense>
          <DayTable from={from} to={to} />
        </>
      ) : null}
    </Card>
  );
}

function DayTable({ from, to }: { from: string; to: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ResourceTable<BookDay>
      label={t('books.days')}
      queryKey={['admin', 'books', 'days', from, to, 'table']}
      load={async () => ({ items: (await api.admin.bookDays(from, to)).items.toReversed(), next_cursor: '' })}
      rowKey={(d) => d.date}
      nameTitle={t('books.day')}
      nameText={(d) => d.date}
      name={(d) => <span className="num">{d.date}</span>}
      columns={columns.map((c): Column<BookDay> => ({
        key: c,
        title: t(`books.${c}`),
        align: 'right',
        cell: (d) => <span className="num">{format.money(d[c])}</span>,
        text: (d) => d[c].amount,
      }))}
      csv="books-by-day"
      empty={{ title: t('books.none') }}
    />
  );
}

function Trial({ date }: { date: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const trial = useQuery({
    queryKey: ['admin', 'books', 'trial', date],
    queryFn: () => api.admin.trialBalance(date),
  });
  const rows = trial.data?.items ?? [];
  const sum = (side: 'debit' | 'credit') =>
    rows.reduce((n, a) => n + Math.round(Number(a[side].amount) * 100), 0);
  const money = (cents: number) => format.money({ amount: (cents / 100).toFixed(2), currency: 'CNY' });
  const figure = (m: BookAccount['debit']) => <span className="num">{format.money(m)}</span>;
  return (
    <Card title={t('books.trial', { date })}>
      {trial.isError ? <ErrorState error={trial.error} retry={() => void trial.refetch()} /> : null}
      <Table<BookAccount>
        size="small"
        loading={trial.isPending}
        rowKey={(a) => a.code + a.debit.currency}
        dataSource={rows}
        pagination={false}
        scroll={{ x: 640 }}
        columns={[
          {
            title: t('books.account'),
            key: 'code',
            render: (_, a) => (
              <>
                {t(`books.code_${a.code.replaceAll(':', '_')}`, { defaultValue: a.code })}
                <div className="mono small quiet">{a.count > 1 ? `${a.code} × ${a.count}` : a.code}</div>
              </>
            ),
          },
          { title: t('books.debit'), key: 'debit', align: 'right', render: (_, a) => figure(a.debit) },
          { title: t('books.credit'), key: 'credit', align: 'right', render: (_, a) => figure(a.credit) },
          { title: t('books.balance'), key: 'balance', align: 'right', render: (_, a) => figure(a.balance) },
        ]}
        summary={() =>
          rows.length ? (
            <Table.Summary.Row>
              <Table.Summary.Cell index={0}>{t('books.sum')}</Table.Summary.Cell>
              <Table.Summary.Cell index={1} align="right">
                <b className="num">{money(sum('debit'))}</b>
              </Table.Summary.Cell>
              <Table.Summary.Cell index={2} align="right">
                <b className="num">{money(sum('credit'))}</b>
              </Table.Summary.Cell>
              <Table.Summary.Cell index={3} />
            </Table.Summary.Row>
          ) : null
        }
      />
    </Card>
  );
}
