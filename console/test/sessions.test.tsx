import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

const gateway = {
  id: 'vpngw-1',
  name: 'office',
  region: 'hk-1',
  state: 'active',
  services: ['ssl'],
  addresses: [],
};
const session = {
  id: 'ses_1',
  client: 'sslcli-1',
  gateway: 'vpngw-1',
  server: 'sslsrv-1',
  source_ip: '198.51.100.9',
  inner_ip: '10.9.0.2',
  inner_ip6: '',
  started_at: '2026-11-22T12:00:00Z',
  bytes_in: 5,
  bytes_out: 6,
  transport: 'dtls',
  packets_in: 1234,
  packets_out: 5678,
  rate_in: 125_000,
  rate_out: 250_000,
  client_version: 'Open AnyConnect VPN Agent v9.01',
};

test('a live session shows its rate, packets, client version and server', async () => {
  serve({
    'GET /me': me,
    'GET /notices': list(),
    'GET /regions': list(),
    'GET /vpn-gateways': list(gateway),
    'GET /vpn-gateways/vpngw-1/traffic': { step_seconds: 10, items: [] },
    'GET /ssl-servers': list({ id: 'sslsrv-1', name: 'head-office' }),
    'GET /ssl-clients': list(),
    'GET /vpn-sessions': list(session),
  });
  visit('/vpn-sessions');
  for (const text of [
    '↑ 1 Mbps',
    '↓ 2 Mbps',
    '↑ 1,234',
    '↓ 5,678',
    session.client_version,
    'head-office',
    'Live (DTLS)',
  ])
    expect(await screen.findByText(text)).toBeTruthy();
});
