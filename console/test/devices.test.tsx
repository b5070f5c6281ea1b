// Devices of an SSL client: asked for, approved, refused and forgotten.

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ClientDevices } from '../src/components/client-devices';
import { ClientTable } from '../src/components/client-table';
import type { SSLClient } from '../src/api/types';
import { list, me, Refused, serve, show, visit } from './page';

const client = {
  id: 'sslcli-1',
  version: 7,
  device_approval: true,
  devices_waiting: 1,
} as unknown as SSLClient;
const device = {
  id: 'sdev-1',
  state: 'waiting',
  known_by: 'platform',
  label: 'linux-64',
  created_at: '2026-11-22T12:00:00Z',
  seen_at: '2026-11-23T12:00:00Z',
};
const path = '/ssl-clients/sslcli-1/devices';

test('a device is approved at once, refused and forgotten after a question', async () => {
  let all = [device];
  const becomes = (state: string) => () => {
    all = all.map((d) => ({ ...d, state }));
    return undefined;
  };
  const sent = serve({
    [`GET ${path}`]: () => list(...all),
    [`POST ${path}/sdev-1/approve`]: becomes('approved'),
    [`POST ${path}/sdev-1/refuse`]: becomes('refused'),
    [`DELETE ${path}/sdev-1`]: () => {
      all = [];
      return undefined;
    },
  });
  await show(<ClientDevices client={client} />);
  const row = within(await screen.findByRole('row', { name: /linux-64/ }));
  expect(row.getByText('Waits for approval')).toBeTruthy();
  expect(row.getByText(/stands for all such devices/)).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Approve' }));
  expect(await screen.findByText('Approved')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Refuse' }));
  expect(await screen.findByText(/Refuse this device\? Its sessions end/)).toBeTruthy();
  expect(sent.some((s) => s.path.endsWith('/refuse'))).toBe(false);
  fireEvent.click(screen.getByRole('button', { name: 'OK' }));
  expect(await screen.findByText('Refused')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Forget' }));
  expect(await screen.findByText(/Forget this device\?/)).toBeTruthy();
  fireEvent.click(screen.getAllByRole('button', { name: 'OK' }).at(-1) as HTMLElement);
  expect(await screen.findByText('No device has signed in yet')).toBeTruthy();
});

test('the switch is sent with the version that was seen; what fails is said', async () => {
  const sent = serve({
    [`GET ${path}`]: list(device),
    [`POST ${path}/sdev-1/approve`]: new Refused(404, 'vpn.device_not_found'),
    'PATCH /ssl-clients/sslcli-1': client,
  });
  await show(<ClientDevices client={client} />);
  fireEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  expect(await screen.findByText('Sentence of vpn.device_not_found')).toBeTruthy();
  fireEvent.click(screen.getByRole('switch', { name: 'Each device needs approval' }));
  await waitFor(() => expect(sent.at(-1)?.method).toBe('PATCH'));
  expect(sent.at(-1)?.body).toEqual({ device_approval: false });
  expect(sent.at(-1)?.match).toContain('7');
});

test('nothing to approve and a list that cannot be read look like that', async () => {
  serve({ [`GET ${path}`]: list() });
  const { unmount } = await show(<ClientDevices client={{ ...client, device_approval: false }} />);
  expect(await screen.findByText('Devices need no approval')).toBeTruthy();
  unmount();
  serve({ [`GET ${path}`]: new Refused(403, 'api.forbidden') });
  await show(<ClientDevices client={client} />);
  expect(await screen.findByText('Sentence of api.forbidden')).toBeTruthy();
});

test('the list of clients tells of devices that wait and is searched for them', async () => {
  const one = {
    id: 'sslcli-1',
    server: 'sslsrv-1',
    name: 'zhang',
    state: 'enabled',
    sessions: 0,
    routes: [],
    groups: [],
  };
  serve({
    'GET /ssl-servers': list(),
    'GET /ssl-clients': list(
      { ...one, devices_waiting: 1 },
      { ...one, id: 'sslcli-2', name: 'li', devices_waiting: 0 },
    ),
  });
  await show(<ClientTable />);
  const hint = await screen.findByRole('link', { name: '1 device waits' });
  expect(hint.getAttribute('href')).toBe('/ssl-clients/sslcli-1?tab=devices');
  fireEvent.change(screen.getByLabelText('Find in this list'), {
    target: { value: 'device waits' },
  });
  await waitFor(() => expect(screen.queryByText('li')).toBeNull());
  expect(screen.getByText('zhang')).toBeTruthy();
});

test('a phone in Chinese shows a device as a card', async () => {
  window.innerWidth = 390;
  serve({ [`GET ${path}`]: list({ ...device, label: '' }) });
  await show(<ClientDevices client={client} />, '/', 'zh-CN');
  expect(await screen.findByText('未提供设备信息')).toBeTruthy();
  expect(screen.getByText('待批准')).toBeTruthy();
  expect(screen.getByRole('button', { name: /批\s?准/ })).toBeTruthy();
  expect(screen.getByRole('article')).toBeTruthy();
  expect(screen.queryByRole('table')).toBeNull();
});

test('a new client can need approval from the start, and its page opens at its devices', async () => {
  const made = {
    ...client,
    name: 'zhang',
    server: 'sslsrv-1',
    state: 'enabled',
    routes: [],
    groups: [],
    sessions: 0,
  };
  const sent = serve({
    'GET /me': me,
    'GET /ssl-servers': list({
      id: 'sslsrv-1',
      name: 'Remote work',
      groups: [],
      server_names: [],
      local_subnets: [],
    }),
    'GET /ssl-clients': list(),
    'POST /ssl-clients': made,
    'GET /ssl-clients/sslcli-1': made,
    [`GET ${path}`]: list(device),
  });
  const { unmount } = await visit('/ssl-clients?create=1');
  const dialog = within(await screen.findByRole('dialog'));
  await dialog.findByText('Remote work');
  fireEvent.change(dialog.getByLabelText('Sign-in name'), { target: { value: 'zhang' } });
  fireEvent.click(dialog.getByRole('checkbox', { name: 'Each device needs approval' }));
  fireEvent.click(dialog.getByRole('button', { name: 'Create an SSL client' }));
  await waitFor(() =>
    expect(sent.find((s) => s.method === 'POST' && s.path === '/ssl-clients')?.body).toEqual({
      server: 'sslsrv-1',
      name: 'zhang',
      device_approval: true,
    }),
  );
  unmount();
  await visit('/ssl-clients/sslcli-1?tab=devices');
  expect(await screen.findByRole('tab', { name: /Devices · 1 device waits/ })).toBeTruthy();
  expect(await screen.findByText('linux-64')).toBeTruthy();
});
