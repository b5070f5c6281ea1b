// A list of things: a table where there is room, cards on a phone; with search, columns, CSV, and its
// empty, loading, error and no-permission states.

import { useMemo, useState, type ReactNode } from 'react';
import { Button, Checkbox, Input, Popover, Skeleton, Table, Tooltip } from 'antd';
import { DownloadOutlined, ReloadOutlined, SearchOutlined, SettingOutlined } from '@ant-design/icons';
import { useInfiniteQuery, type InfiniteData, type QueryKey } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { List } from '../api/types';
import type { PageQuery } from '../api';
import { saveFile, toCSV } from '../lib/csv';
import { useNarrow } from '../lib/media';
import { EmptyState, ErrorState } from './problem';

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** What search and CSV see; a column without it is in neither. */
  text?: (row: T) => string | number | undefined;
  align?: 'right';
  width?: number | string;
  /** Not on a card: the card's head or its foot says it already. */
  hideOnCard?: boolean;
  /** Shown only after the person chose it. */
  optional?: boolean;
}

interface Props<T> {
  queryKey: QueryKey;
  load: (page: PageQuery) => Promise<List<T>>;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** The head of a card and the first cell. */
  name: (row: T) => ReactNode;
  nameTitle: string;
  nameText: (row: T) => string;
  actions?: (row: T) => ReactNode;
  empty: { title: string; text?: string; action?: ReactNode };
  csv?: string;
  filters?: ReactNode;
  filter?: (row: T) => boolean;
  /** Milliseconds until the list is read again; false = events only. */
  refresh?: (rows: T[]) => number | false;
  label: string;
}

export function ResourceTable<T extends object>(p: Props<T>) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const [search, setSearch] = useState('');
  const [hidden, setHidden] = useState<string[]>(() => p.columns.filter((c) => c.optional).map((c) => c.key));
  const query = useInfiniteQuery({
    queryKey: p.queryKey,
    queryFn: ({ pageParam }) => p.load({ cursor: pageParam || undefined }),
    initialPageParam: '',
    getNextPageParam: (last: List<T>) => last.next_cursor || undefined,
    refetchInterval: (q) => p.refresh?.(rowsOf(q.state.data)) ?? false,
  });
  const rows = useMemo(() => rowsOf(query.data), [query.data]);
  const shown = useMemo(
    () => rows.filter((r) => (p.filter?.(r) ?? true) && matches(r, search, p)),
    [rows, search, p],
  );
  const columns = p.columns.filter((c) => !hidden.includes(c.key));

  if (query.isPending)
    return <Skeleton active paragraph={{ rows: 6 }} title={false} aria-label={t('common.loading')} />;
  if (query.isError && rows.length === 0)
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (rows.length === 0)
    return (
      <section aria-label={p.label}>
        {p.filters}
        <EmptyState {...p.empty} />
      </section>
    );

  return (
    <section aria-label={p.label}>
      <div className="spread" style={{ marginBottom: 12 }}>
        <div className="row">
          {p.filters}
          <Input
            allowClear
            aria-label={t('table.search')}
            placeholder={t('table.search')}
            prefix={<SearchOutlined aria-hidden="true" />}
            style={{ width: narrow ? 210 : 240 }}
            value={search}
            onChange={(e) => setSearch(e.target.value)}
          />
        </div>
        <div className="row">
          <Tools
            refreshing={query.isFetching}
            refresh={() => void query.refetch()}
            chooser={narrow ? null : <Chooser columns={p.columns} hidden={hidden} setHidden={setHidden} />}
            save={p.csv ? () => saveRows(p.csv ?? '', p, shown) : undefined}
          />
        </div>
      </div>
      {shown.length === 0 ? (
        <EmptyState
          title={t('table.no_match')}
          action={<Button onClick={() => setSearch('')}>{t('table.clear')}</Button>}
        />
      ) : narrow ? (
        <Cards rows={shown} columns={columns} table={p} />
      ) : (
        <Wide rows={shown} columns={columns} table={p} />
      )}
      <div className="spread small quiet" style={{ marginTop: 10 }}>
        <span aria-live="polite">{t('table.total', { count: shown.length })}</span>
        {query.hasNextPage ? (
          <Button size="small" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t('table.more')}
          </Button>
        ) : null}
      </div>
    </section>
  );
}

function rowsOf<T>(data: InfiniteData<List<T>, unknown> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

type Texts<T> = Pick<Props<T>, 'columns' | 'nameText' | 'nameTitle' | 'rowKey'>;

function matches<T>(row: T, search: string, p: Texts<T>): boolean {
  const wanted = search.trim().toLowerCase();
  if (!wanted) return true;
  const texts = [p.nameText(row), p.rowKey(row), ...p.columns.map((c) => c.text?.(row))];
  return texts.some((text) => text !== undefined && String(text).toLowerCase().includes(wanted));
}

function saveRows<T>(name: string, p: Texts<T>, rows: T[]): void {
  const columns = p.columns.filter((c) => c.text);
  const header = ['id', p.nameTitle, ...columns.map((c) => c.title)];
  const body = rows.map((r) => [p.rowKey(r), p.nameText(r), ...columns.map((c) => c.text?.(r))]);
  saveFile(`${name}.csv`, toCSV(header, body), 'text/csv;charset=utf-8');
}

interface ToolsProps {
  refreshing: boolean;
  refresh: () => void;
  chooser: ReactNode;
  save?: () => void;
}

function Tools({ refreshing, refresh, chooser, save }: ToolsProps) {
  const { t } = useTranslation();
  return (
    <>
      <Tooltip title={t('table.refresh')}>
        <Button
          aria-label={t('table.refresh')}
          icon={<ReloadOutlined spin={refreshing} />}
          onClick={refresh}
        />
      </Tooltip>
      {chooser}
      {save ? (
        <Tooltip title={t('table.csv')}>
          <Button aria-label={t('table.csv')} icon={<DownloadOutlined />} onClick={save} />
        </Tooltip>
      ) : null}
    </>
  );
}

interface ChooserProps<T> {
  columns: Column<T>[];
  hidden: string[];
  setHidden: (keys: string[]) => void;
}

function Chooser<T>({ columns, hidden, setHidden }: ChooserProps<T>) {
  const { t } = useTranslation();
  const boxes = (
    <Checkbox.Group
      style={{ display: 'flex', flexDirection: 'column', gap: 6 }}
      options={columns.map((c) => ({ label: c.title, value: c.key }))}
      value={columns.map((c) => c.key).filter((k) => !hidden.includes(k))}
      onChange={(keys) => setHidden(columns.map((c) => c.key).filter((k) => !keys.includes(k)))}
    />
  );
  return (
    <Popover trigger="click" placement="bottomRight" title={t('table.columns')} content={boxes}>
      <Button aria-label={t('table.columns')} icon={<SettingOutlined />} />
    </Popover>
  );
}

interface BodyProps<T> {
  rows: T[];
  columns: Column<T>[];
  table: Props<T>;
}

function Wide<T extends object>({ rows, columns, table }: BodyProps<T>) {
  const { t } = useTranslation();
  const all = [
    { key: '_name', title: table.nameTitle, render: (_: unknown, r: T) => table.name(r) },
    ...columns.map((c) => ({
      key: c.key,
      title: c.title,
      align: c.align,
      width: c.width,
      render: (_: unknown, r: T) => c.cell(r),
      sorter: c.text ? (a: T, b: T) => compare(c.text?.(a), c.text?.(b)) : undefined,
    })),
  ];
  const last = table.actions
    ? [
        {
          key: '_actions',
          title: t('table.actions'),
          render: (_: unknown, r: T) => <div className="row">{table.actions?.(r)}</div>,
        },
      ]
    : [];
  return (
    <Table<T>
      size="middle"
      rowKey={table.rowKey}
      dataSource={rows}
      columns={[...all, ...last]}
      scroll={{ x: 'max-content' }}
      showSorterTooltip={false}
      pagination={
        rows.length > 20
          ? { defaultPageSize: 20, showSizeChanger: true, pageSizeOptions: [20, 50, 100], size: 'small' }
          : false
      }
    />
  );
}

export function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''));
}

function Cards<T extends object>({ rows, columns, table }: BodyProps<T>) {
  return (
    <div className="cards">
      {rows.map((row) => (
        <article className="itemcard" key={table.rowKey(row)}>
          {table.name(row)}
          <dl>
            {columns
              .filter((c) => !c.hideOnCard)
              .map((c) => (
                <CardLine key={c.key} title={c.title} value={c.cell(row)} />
              ))}
          </dl>
          {table.actions ? <div className="actions row">{table.actions(row)}</div> : null}
        </article>
      ))}
    </div>
  );
}

function CardLine({ title, value }: { title: string; value: ReactNode }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </>
  );
}
