import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

test('sign-in is turned off only after a question', async () => {
  const sent = serve({
    'GET /me': me,
    'GET /ssl-clients/sslcli-1': {
      id: 'sslcli-1',
      name: 'zhang',
      server: 'sslsrv-1',
      gateway: 'vpngw-1',
      state: 'enabled',
      version: 2,
      routes: [],
      groups: [],
    },
    'GET /ssl-servers/sslsrv-1': { id: 'sslsrv-1', name: 'Remote', groups: [], server_names: [] },
    'GET /vpn-gateways/vpngw-1': { id: 'vpngw-1', addresses: [] },
    'GET /ssl-clients': list(),
    'PATCH /ssl-clients/sslcli-1': {},
  });
  await visit('/ssl-clients/sslcli-1');
  fireEvent.click(await screen.findByRole('switch', { name: 'May sign in' }));
  await screen.findByText(/Turn sign-in off/);
  expect(sent.some((s) => s.method === 'PATCH')).toBe(false);
  fireEvent.click(screen.getByRole('button', { name: 'OK' }));
  await waitFor(() => expect(sent.find((s) => s.method === 'PATCH')?.body).toEqual({ state: 'disabled' }));
});
