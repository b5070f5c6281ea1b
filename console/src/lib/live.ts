// States and counters change without a reload: the API tells what changed as server-sent events, and
// the lists and pages that show it are read again.

import { useEffect } from 'react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { prefix } from '../api/http';

/** Which readings an event makes stale, by the module that told it. */
export const stale: Record<string, string[]> = {
  account: ['me', 'login-sessions'],
  realname: ['real-name'],
  consent: ['consents'],
  order: ['orders', 'order'],
  payment: ['payments', 'orders', 'order', 'wallet'],
  service: ['gateways', 'gateway', 'orders', 'order'],
  vpn: ['gateways', 'gateway', 'servers', 'server', 'clients', 'client'],
  fleet: ['gateways', 'gateway', 'servers', 'server', 'vpn-sessions', 'nodes'],
};

export function freshen(client: QueryClient, topic: string): void {
  for (const key of stale[topic.split('.')[0] ?? ''] ?? []) {
    void client.invalidateQueries({ queryKey: [key] });
  }
}

export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    if (typeof EventSource === 'undefined') return undefined;
    const source = new EventSource(`${prefix}/events`);
    source.addEventListener('message', (event: MessageEvent<string>) => freshen(client, topicOf(event.data)));
    source.addEventListener('change', (event) =>
      freshen(client, topicOf((event as MessageEvent<string>).data)),
    );
    return () => source.close();
  }, [client]);
}

function topicOf(data: string): string {
  try {
    const event = JSON.parse(data) as { topic?: unknown; type?: unknown };
    return String(event.topic ?? event.type ?? '');
  } catch {
    return data;
  }
}
