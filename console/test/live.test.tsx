// The lists are read again when the event stream tells of a change, or was broken meanwhile.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { useLive } from '../src/lib/live';

test('events make the readings of their kind stale', () => {
  const source = new EventTarget() as EventTarget & { close: () => void };
  source.close = () => {};
  vi.stubGlobal('EventSource', function EventSource() {
    return source;
  });
  const client = new QueryClient();
  const stale = vi.spyOn(client, 'invalidateQueries');
  renderHook(useLive, {
    wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>,
  });
  const names = () => stale.mock.calls.map(([filter]) => filter?.queryKey?.[0]);
  source.dispatchEvent(new Event('open'));
  expect(names()).toEqual([]);
  source.dispatchEvent(new Event('certificate'));
  expect(names()).toEqual(['certificates', 'certificate']);
  source.dispatchEvent(new Event('open'));
  expect(names()).toContain('orders');
});
