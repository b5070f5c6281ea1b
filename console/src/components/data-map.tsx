// The data map as people read it: each table, what of it is about a person, why and how long.

import { Fragment, useState } from 'react';
import { Button, Card, Drawer, Select, Skeleton, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Classes, MapColumn, MapTable, Register } from '../api/types';
import { CopyText } from './copy-text';
import { ErrorState } from './problem';
import { useShown } from '../lib/shown';
import { useFormat } from '../lib/use';
import { ResourceTable } from './resource-table';

/** What of a table is about a person. */
export function personal(table: MapTable): MapColumn[] {
  return table.Columns.filter((c) => c.Category !== '');
}

const distinct = (all: string[]) => [...new Set(all.filter(Boolean))];

/** The words for the codes of the map. */
function useWords() {
  const { t } = useTranslation();
  const shown = useShown();
  const join = (words: string[]) => words.join(t('common.list_comma')) || '–';
  return {
    table: shown.table,
    column: shown.column,
    kinds: (all: MapColumn[]) => join(distinct(all.map((c) => c.Category)).map((c) => shown.category(c))),
    purposes: (all: MapColumn[]) =>
      join(distinct(all.flatMap((c) => c.Purposes ?? [])).map((p) => shown.purpose(p))),
    bases: (all: MapColumn[]) =>
      join(distinct(all.map((c) => c.Basis)).map((b) => t(`basis.${b}`, { defaultValue: b }))),
    kept: (all: MapColumn[]) =>
      join(distinct(all.map((c) => c.Retention)).map((c) => t(`retention.class_${c}`, { defaultValue: c }))),
  };
}

export function DataMap() {
  const { t } = useTranslation();
  const words = useWords();
  const map = useQuery({ queryKey: ['data-map'], queryFn: api.privacy.dataMap, staleTime: 600_000 });
  const [all, setAll] = useState(false);
  const [shown, setShown] = useState<MapTable>();
  if (map.isPending) return <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />;
  if (map.isError) return <ErrorState error={map.error} retry={() => void map.refetch()} />;
  return (
    <div className="stack">
      <ResourceTable<MapTable>
        label={t('datamap.title')}
        queryKey={['data-map', 'tables']}
        load={() => Promise.resolve({ items: map.data.map, next_cursor: '' })}
        rowKey={(m) => m.Name}
        nameTitle={t('datamap.table')}
        nameText={(m) => words.table(m.Name)}
        name={(m) => (
          <div>
            <div style={{ fontWeight: 500 }}>{words.table(m.Name)}</div>
            {words.table(m.Name) === m.Name ? null : <code className="mono small quiet">{m.Name}</code>}
          </div>
        )}
        filters={
          <Select
            aria-label={t('datamap.which')}
            style={{ width: 210 }}
            value={all}
            onChange={setAll}
            options={[
              { value: false, label: t('datamap.personal') },
              { value: true, label: t('datamap.all') },
            ]}
          />
        }
        filter={(m) => all || personal(m).length > 0}
        columns={[
          {
            key: 'kinds',
            title: t('datamap.kinds'),
            cell: (m) => words.kinds(personal(m)),
            text: (m) => words.kinds(personal(m)),
            width: 260,
          },
          {
            key: 'purposes',
            title: t('datamap.purposes'),
            cell: (m) => words.purposes(personal(m)),
            text: (m) => words.purposes(personal(m)),
            width: 260,
          },
          {
            key: 'basis',
            title: t('datamap.basis'),
            cell: (m) => words.bases(personal(m)),
            text: (m) => words.bases(personal(m)),
          },
          {
            key: 'kept',
            title: t('datamap.kept'),
            cell: (m) => words.kept(personal(m)),
            text: (m) => words.kept(personal(m)),
          },
        ]}
        actions={(m) => (
          <Button size="small" type="link" onClick={() => setShown(m)}>
            {t('datamap.columns', { count: m.Columns.length })}
          </Button>
        )}
        csv="data-map"
        empty={{ title: t('datamap.none') }}
      />
      <Leaving registers={map.data.registers} />
      <div className="small quiet">
        {t('datamap.sum')} <CopyText text={map.data.sha256} wrap />
        <br />
        <a href="/api/v1/privacy/datamap">{t('datamap.file')}</a>
      </div>
      <Drawer
        open={shown !== undefined}
        onClose={() => setShown(undefined)}
        size={640}
        title={shown ? words.table(shown.Name) : ''}
        destroyOnHidden
      >
        {shown ? <Columns table={shown} /> : null}
      </Drawer>
    </div>
  );
}

const ways: Register[] = ['log_keys', 'metric_labels', 'job_arguments', 'gateway_messages', 'sent', 'api'];

/** What stands under names that leave the tables: of each way out how many there are, and which are personal. */
function Leaving({ registers }: { registers: Record<Register, Classes> }) {
  const { t } = useTranslation();
  const shown = useShown();
  const format = useFormat();
  return (
    <Card title={t('datamap.leaving')}>
      <p className="quiet" style={{ marginTop: 0 }}>
        {t('datamap.leaving_text')}
      </p>
      <dl className="facts">
        {ways.map((way) => (
          <Fragment key={way}>
            <dt>{t(`datamap.way_${way}`)}</dt>
            <dd>
              {t('datamap.names', {
                count: Object.keys(registers[way] ?? {}).length,
                n: format.number(Object.keys(registers[way] ?? {}).length),
              })}
              {' · '}
              {kindsIn(registers[way]).length === 0
                ? t('datamap.nothing_personal')
                : kindsIn(registers[way]).map(shown.category).join(t('common.list_comma'))}
            </dd>
          </Fragment>
        ))}
      </dl>
    </Card>
  );
}

const plain = ['id', 'code', 'number', 'time', 'system', 'text', 'key', 'group'];

/** The personal classes of a register. */
function kindsIn(classes: Classes = {}): string[] {
  return distinct(Object.values(classes))
    .filter((c) => !plain.includes(c))
    .toSorted();
}

/** Each column: what it is of a person, or why it is not. */
function Columns({ table }: { table: MapTable }) {
  const { t } = useTranslation();
  const words = useWords();
  return (
    <div className="stack">
      {table.Columns.map((c) => (
        <section className="tile" key={c.Name} aria-label={c.Name}>
          <div className="spread">
            <span>
              {c.Category ? <b>{words.column(table.Name, c.Name)} </b> : null}
              <code className="mono small quiet">{c.Name}</code>
            </span>
            {c.Sealed ? <Tag color="green">{t('datamap.sealed')}</Tag> : null}
          </div>
          {c.Category ? (
            <div>
              {words.kinds([c])} · {words.purposes([c])} · {words.bases([c])} · {words.kept([c])}
            </div>
          ) : (
            <div className="quiet">
              {t('datamap.not_personal')} <span lang="en">{c.Why}</span>
            </div>
          )}
        </section>
      ))}
    </div>
  );
}
