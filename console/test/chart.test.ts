import { expect, test } from 'vitest';
import { options } from '../src/components/chart';
import { period } from '../src/components/traffic';

test('the time axis is the chosen period, and two series differ by more than colour', () => {
  const end = Date.parse('2026-11-28T12:00:00Z');
  expect(period(end, '6h')).toEqual([Date.parse('2026-11-28T06:00:00Z'), end]);
  const color = { light: '#000', dark: '#fff' };
  const series = ['up', 'down'].map((name) => ({ name, color, points: [] }));
  const made = options({ series, format: String, label: '', span: [1, 9] }, false);
  expect([made.xAxis.min, made.xAxis.max]).toEqual([1, 9]);
  expect(new Set(made.series.map((s) => s.lineStyle.type)).size).toBe(2);
});
