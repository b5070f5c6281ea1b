// A gateway has one SSL server: where it is there, none is offered, and it is said why.

import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

const gateway = {
  ...{ id: 'vpngw-1', name: 'office', region: 'r', network: 'vpc-1', local_subnets: [], state: 'active' },
  ...{ services: ['ssl'], addresses: [], ssl_bandwidth: 10, ssl_connections: 5, version: 1, description: '' },
  ...{ created_at: '2026-01-01T00:00:00Z' },
};
const answers = (servers: object[]) => ({
  'GET /me': me,
  'GET /regions': list(),
  'GET /networks': list({ id: 'vpc-1', name: 'First', region: 'r', prefixes: [] }),
  'GET /vpn-gateways': list(gateway),
  'GET /vpn-gateways/vpngw-1': gateway,
  'GET /ssl-servers': list(...servers),
});
const server = {
  ...{ id: 'sslsrv-1', name: 'remote', gateway: 'vpngw-1', pool: '10.9.0.0/24', local_subnets: [] },
  ...{ state: 'running', created_at: '2026-01-01T00:00:00Z' },
};

test('a gateway with its server offers no other', async () => {
  serve(answers([server]));
  await visit('/vpn-gateways/vpngw-1');
  expect(await screen.findByText('The gateway has its one SSL server')).toBeTruthy();
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Create an SSL server' });
  expect(button.disabled).toBe(true);
  expect(button.closest('a')).toBeNull();
});

test('a server cannot be begun where each gateway has its own', async () => {
  serve(answers([server]));
  await visit('/ssl-servers/new');
  expect(await screen.findByText('A VPN gateway has one SSL server.', { exact: false })).toBeTruthy();
});
