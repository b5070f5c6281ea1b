// States and counters change without a reload: the API tells what changed as server-sent events, and
// the lists and pages that show it are read again.

import { useEffect } from 'react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { prefix } from '../api/http';

/** What the API tells of one VPN gateway, each time something about it changed. */
export interface Pulse {
  gateway: string;
  state: string;
  version: number;
  sessions: number;
  bytes_in: number;
  bytes_out: number;
}

/** Which readings a pulse makes stale, given the one before it. */
export function stale(before: Pulse | undefined, now: Pulse): string[] {
  if (!before) return [];
  const keys: string[] = [];
  if (before.state !== now.state || before.version !== now.version) {
    keys.push('gateways', 'gateway', 'servers', 'server', 'clients', 'client', 'order', 'orders');
  }
  if (before.sessions !== now.sessions) keys.push('vpn-sessions');
  return keys;
}

/** Which readings an event of each other kind makes stale. */
export const staleBy: Record<string, string[]> = {
  ssl_server: ['servers', 'server'],
  ssl_client: ['clients', 'client', 'client-devices'],
  certificate: ['certificates', 'certificate'],
  vpn_session: ['vpn-sessions', 'clients', 'client'],
  order: ['orders', 'order', 'refunds', 'refund-offer'],
};

function take(client: QueryClient, text: string): void {
  const pulse = JSON.parse(text) as Pulse;
  const key = ['pulse', pulse.gateway];
  for (const name of stale(client.getQueryData<Pulse>(key), pulse)) {
    void client.invalidateQueries({ queryKey: [name] });
  }
  client.setQueryData(key, pulse);
}

export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    if (typeof EventSource === 'undefined') return undefined;
    const source = new EventSource(`${prefix}/events`);
    source.addEventListener('vpn_gateway', (event) => take(client, (event as MessageEvent<string>).data));
    for (const [kind, keys] of Object.entries(staleBy)) {
      source.addEventListener(kind, () => {
        for (const name of keys) void client.invalidateQueries({ queryKey: [name] });
      });
    }
    // What happened while a stream was broken is told by none.
    let opened = false;
    source.addEventListener('open', () => {
      if (opened)
        for (const name of Object.values(staleBy).flat()) void client.invalidateQueries({ queryKey: [name] });
      opened = true;
    });
    return () => source.close();
  }, [client]);
}
