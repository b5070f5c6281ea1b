// Small hooks that most pages use.

import { useCallback, useEffect, useRef, useState } from 'react';
import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useSettings } from './settings';
import { formatBytes, formatDate, formatMoney, formatRate, formatTime } from './format';
import { newKey, Problem } from '../api/http';
import type { Money } from '../api/types';

/** The formatters, bound to the language of the page. */
export function useFormat() {
  const { language } = useSettings();
  return {
    money: (m?: Money) => formatMoney(m, language),
    time: (iso?: string, seconds?: boolean) => formatTime(iso, language, seconds),
    date: (iso?: string) => formatDate(iso, language),
    bytes: (n?: number) => formatBytes(n, language),
    rate: (n?: number) => formatRate(n, language),
    number: (n: number) => new Intl.NumberFormat(language).format(n),
  };
}

/**
 * A request that creates. The key stays the same while the same body is sent again because no answer
 * came; an answer, good or bad, ends it.
 */
export function useCreate<In, Out>(send: (input: In, key: string) => Promise<Out>, stale: QueryKey[] = []) {
  const last = useRef({ body: '', key: '' });
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: In) => {
      const body = JSON.stringify(input) ?? '';
      if (last.current.body !== body || !last.current.key) last.current = { body, key: newKey() };
      return send(input, last.current.key);
    },
    onError: (error) => {
      if (error instanceof Problem && error.status >= 400 && error.status < 500)
        last.current = { body: '', key: '' };
    },
    onSuccess: async () => {
      last.current = { body: '', key: '' };
      await Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
}

/** A request that changes or removes; marks what it made stale, or found to be (412). */
export function useChange<In, Out>(send: (input: In) => Promise<Out>, stale: QueryKey[] = []) {
  const client = useQueryClient();
  const again = () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
  return useMutation({
    mutationFn: send,
    onError: async (error) => {
      if (error instanceof Problem && error.status === 412) await again();
    },
    onSuccess: again,
  });
}

/**
 * The version of a thing when its form opened: what a person saves is held to what they saw, while the
 * page behind goes on following the thing.
 */
export function useOpened(version: number): number {
  return useState(version)[0];
}

/** The current time, moving on every interval milliseconds. */
export function useNow(interval = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

/** An open/closed flag with its two changes. */
export function useToggle(): [boolean, () => void, () => void] {
  const [open, setOpen] = useState(false);
  return [open, useCallback(() => setOpen(true), []), useCallback(() => setOpen(false), [])];
}
