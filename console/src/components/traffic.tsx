// Traffic of one VPN gateway over a range of time, as a chart and, for those who cannot see it, as its
// highest values.

import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { Button, Card, Segmented, Skeleton } from 'antd';
import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Sample } from '../api/types';
import { saveFile, toCSV } from '../lib/csv';
import { useFormat } from '../lib/use';
import { EmptyState, ErrorState } from './problem';

const Chart = lazy(() => import('./chart'));

// In hours; what the nodes reported is kept for a day.
const ranges = { '1h': 1, '6h': 6, '24h': 24 };
type Range = keyof typeof ranges;

// The same colours for the same thing everywhere.
const inbound = { light: '#1668dc', dark: '#3c89e8' };
const outbound = { light: '#d46b08', dark: '#f0994a' };

/** Bytes per sample as bytes per second, with the step taken from neighbouring samples. */
export function rates(samples: Sample[], step: number): { at: number; up: number; down: number }[] {
  return samples.map((s) => ({ at: Date.parse(s.at), up: s.bytes_in / step, down: s.bytes_out / step }));
}

/** The chosen time up to the moment of asking, in milliseconds. */
export function period(end: number, range: Range): [number, number] {
  return [end - ranges[range] * 3_600_000, end];
}

export function Traffic({ gateway }: { gateway: string }) {
  const { t } = useTranslation();
  const [range, setRange] = useState<Range>('1h');
  const query = useQuery({
    queryKey: ['traffic', gateway, range],
    queryFn: () => api.vpn.traffic(gateway, ranges[range]),
    refetchInterval: range === '1h' ? 10_000 : 60_000,
    placeholderData: (last) => last,
  });
  const samples = query.data?.items ?? [];
  return (
    <Card
      title={t('traffic.title')}
      extra={
        <Button
          size="small"
          icon={<DownloadOutlined />}
          aria-label={t('table.csv')}
          disabled={samples.length === 0}
          onClick={() => save(gateway, samples)}
        />
      }
    >
      <Segmented<Range>
        size="small"
        aria-label={t('traffic.range')}
        value={range}
        onChange={setRange}
        options={(Object.keys(ranges) as Range[]).map((r) => ({ value: r, label: t(`traffic.range_${r}`) }))}
      />
      {query.isPending ? <Skeleton active /> : null}
      {query.isError ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && samples.length === 0 ? (
        <EmptyState title={t('traffic.none')} text={t('traffic.none_text')} />
      ) : null}
      {samples.length > 0 ? (
        <Drawn
          samples={samples}
          step={query.data?.step_seconds || 10}
          span={period(query.dataUpdatedAt, range)}
        />
      ) : null}
    </Card>
  );
}

function save(gateway: string, samples: Sample[]): void {
  const rows = samples.map((s) => [s.at, s.bytes_in, s.bytes_out, s.sessions]);
  saveFile(
    `traffic-${gateway}.csv`,
    toCSV(['at', 'bytes_in', 'bytes_out', 'sessions'], rows),
    'text/csv;charset=utf-8',
  );
}

interface DrawnProps {
  samples: Sample[];
  step: number;
  span: [number, number];
}

function Drawn({ samples, step, span }: DrawnProps) {
  const { t } = useTranslation();
  const { rate } = useFormat();
  const format = useCallback((v: number) => rate(v), [rate]);
  const points = useMemo(() => rates(samples, step), [samples, step]);
  const up = Math.max(...points.map((p) => p.up));
  const down = Math.max(...points.map((p) => p.down));
  const series = useMemo(
    () => [
      { name: t('traffic.up'), color: inbound, points: points.map((p): [number, number] => [p.at, p.up]) },
      {
        name: t('traffic.down'),
        color: outbound,
        points: points.map((p): [number, number] => [p.at, p.down]),
      },
    ],
    [points, t],
  );
  const label = t('traffic.label', { up: rate(up), down: rate(down) });
  return (
    <>
      <Suspense fallback={<div className="chart" />}>
        <Chart series={series} format={format} label={label} span={span} />
      </Suspense>
      <p className="small quiet" style={{ margin: 0 }}>
        {label}
      </p>
    </>
  );
}
