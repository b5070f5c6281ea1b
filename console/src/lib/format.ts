// How money, times, sizes and rates are written for people. The language decides the form; the
// figures come from the API unchanged (money is a decimal string and is never computed on here).

import type { Language } from './prefs';
import type { Money } from '../api/types';

export function formatMoney(m: Money | undefined, language: Language): string {
  if (!m) return '–';
  const value = Number(m.amount);
  if (!Number.isFinite(value)) return `${m.amount} ${m.currency}`;
  return new Intl.NumberFormat(language, {
    style: 'currency',
    currency: m.currency,
    currencyDisplay: 'narrowSymbol',
  }).format(value);
}

/** A point in time, to the minute (or second), in the browser's zone. */
export function formatTime(iso: string | undefined, language: Language, seconds = false): string {
  const at = parse(iso);
  if (!at) return '–';
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: language === 'en' ? 'short' : '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: seconds ? '2-digit' : undefined,
    hourCycle: 'h23',
  }).format(at);
}

export function formatDate(iso: string | undefined, language: Language): string {
  const at = parse(iso);
  if (!at) return '–';
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: language === 'en' ? 'short' : '2-digit',
    day: '2-digit',
  }).format(at);
}

function parse(iso: string | undefined): Date | undefined {
  if (!iso) return undefined;
  const at = new Date(iso);
  // Go's zero time means "never".
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1970) return undefined;
  return at;
}

const steps = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in powers of 1000, three significant figures. */
export function formatBytes(n: number | undefined, language: Language): string {
  return scaled(n, steps, language);
}

/** Bits per second from bytes per second. */
export function formatRate(bytesPerSecond: number | undefined, language: Language): string {
  const bits = bytesPerSecond === undefined ? undefined : bytesPerSecond * 8;
  return scaled(bits, ['bps', 'kbps', 'Mbps', 'Gbps', 'Tbps'], language);
}

function scaled(n: number | undefined, units: string[], language: Language): string {
  if (n === undefined || !Number.isFinite(n)) return '–';
  let value = n;
  let i = 0;
  while (Math.abs(value) >= 1000 && i < units.length - 1) {
    value /= 1000;
    i++;
  }
  const digits = i === 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)} ${units[i]}`;
}

export interface Span {
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

/** A length of time cut into its parts; never negative. */
export function span(milliseconds: number): Span {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  return {
    days: Math.floor(s / 86400),
    hours: Math.floor((s % 86400) / 3600),
    minutes: Math.floor((s % 3600) / 60),
    seconds: s % 60,
  };
}

const pad = (n: number) => String(n).padStart(2, '0');

/** 04:05, 1:04:05 or 2d 01:04:05: the form of clocks, the same in both languages. */
export function formatSpan(milliseconds: number): string {
  const { days, hours, minutes, seconds } = span(milliseconds);
  const clock =
    hours || days
      ? `${days ? pad(hours) : hours}:${pad(minutes)}:${pad(seconds)}`
      : `${pad(minutes)}:${pad(seconds)}`;
  return days ? `${days}d ${clock}` : clock;
}

/** The zone that times are written in: Asia/Shanghai (UTC+08:00). */
export function zone(): string {
  const minutes = -new Date().getTimezoneOffset();
  const far = Math.abs(minutes);
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offset = `UTC${minutes < 0 ? '−' : '+'}${pad(Math.floor(far / 60))}:${pad(far % 60)}`;
  return name ? `${name} (${offset})` : offset;
}
