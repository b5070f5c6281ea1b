// Charts come later than the page: this module is loaded when one is shown. Only what is drawn here
// is taken out of echarts. Tooltips are drawn in the canvas, since the content security policy keeps
// style attributes out of the page.

import { useEffect, useRef } from 'react';
import { LineChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useSettings } from '../lib/settings';

use([LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, CanvasRenderer]);

export interface Series {
  name: string;
  color: { light: string; dark: string };
  points: [number, number][];
}

interface Props {
  series: Series[];
  format: (value: number) => string;
  label: string;
  /** What the time axis shows, in milliseconds, whether or not there are points at its ends. */
  span: [number, number];
}

export default function Chart({ series, format, label, span }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const { dark } = useSettings();

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current);
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(options({ series, format, label, span }, dark), { notMerge: true });
  }, [series, format, label, span, dark]);

  return <div ref={box} className="chart" role="img" aria-label={label} />;
}

/** How the chart is drawn. */
export function options({ series, format, label, span }: Props, dark: boolean) {
  const ink = dark ? 'rgba(255,255,255,0.7)' : 'rgba(0,0,0,0.65)';
  const line = dark ? '#2a313b' : '#e4e8ee';
  return {
    animation: false,
    aria: { enabled: true, label: { description: label } },
    grid: { left: 8, right: 16, top: 36, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 4, textStyle: { color: ink } },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      backgroundColor: dark ? '#1d232b' : '#fff',
      borderColor: line,
      textStyle: { color: dark ? '#fff' : '#1f2329' },
      valueFormatter: (v: number) => format(v),
    },
    xAxis: {
      type: 'time',
      min: span[0],
      max: span[1],
      axisLine: { lineStyle: { color: line } },
      axisLabel: { color: ink, hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: ink, formatter: (v: number) => format(v) },
    },
    series: series.map((s, i) => ({
      name: s.name,
      type: 'line',
      showSymbol: false,
      data: s.points,
      // The second is dashed, so that the first shows through where they run together.
      lineStyle: { width: 2, type: i === 0 ? 'solid' : 'dashed', color: dark ? s.color.dark : s.color.light },
      itemStyle: { color: dark ? s.color.dark : s.color.light },
      areaStyle: { opacity: 0.04, color: dark ? s.color.dark : s.color.light },
    })),
  };
}
