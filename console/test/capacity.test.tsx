import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { splitTable } from '../src/components/client-batch';
import { list, me, serve, visit, type Sent } from './page';

const gateway = {
  id: 'vpngw-1',
  name: 'office',
  region: 'hk-1',
  network: 'net',
  state: 'active',
  services: ['ssl'],
  ssl_bandwidth: 5,
  ssl_connections: 5,
  addresses: [],
  version: 1,
  created_at: '2026-11-22T12:00:00Z',
  updated_at: '2026-11-22T12:00:00Z',
};
const value = (v: string) => ({ value: v, monthly: { amount: '1.00', currency: 'CNY' } });
const product = {
  id: 'vpn-gateway',
  name: 'VPN gateway',
  max_cycle: 36,
  offers: [
    {
      region: 'hk-1',
      options: [
        { id: 'ssl_bandwidth', values: [value('5'), value('10'), value('20')] },
        { id: 'ssl_connections', values: [value('5'), value('10')] },
      ],
    },
  ],
};
const everything = {
  'GET /me': me,
  'GET /notices': list(),
  'GET /regions': list(),
  'GET /networks': list(),
  'GET /products': list(product),
  'GET /vpn-gateways': list(gateway),
  'GET /vpn-gateways/vpngw-1': gateway,
  'GET /ssl-servers': list(),
  'GET /ssl-clients': list(),
  'GET /vpn-sessions': list(),
  'GET /orders': list(),
};

const choose = async (label: string, option: string) => {
  fireEvent.mouseDown(await screen.findByLabelText(label));
  fireEvent.click(await screen.findByTitle(option));
};

test('an upgrade is quoted by the server and ordered by its hash', async () => {
  const sent = serve({
    ...everything,
    'POST /upgrade-quotes': {
      quote_hash: 'hash',
      lines: [
        {
          number: 1,
          kind: 'recurring',
          items: [
            { option: 'charge', value: '', amount: { amount: '20.00', currency: 'CNY' } },
            { option: 'credit', value: '', amount: { amount: '-8.00', currency: 'CNY' } },
          ],
          amount: { amount: '12.00', currency: 'CNY' },
        },
      ],
      total: { amount: '12.00', currency: 'CNY' },
      until: '2026-12-22T12:00:00Z',
    },
    'POST /orders': (s: Sent) => ({ ...(s.body as object), id: 'ord_1' }),
  });
  await visit('/vpn-gateways/vpngw-1');
  fireEvent.click(await screen.findByRole('button', { name: 'Upgrade' }));
  const order = await screen.findByRole('button', { name: 'Place the order' });
  expect((order as HTMLButtonElement).disabled).toBe(true);
  await choose('SSL bandwidth', '20 Mbps');
  expect(await screen.findByText('Already paid for it')).toBeTruthy();
  await waitFor(() => expect((order as HTMLButtonElement).disabled).toBe(false));
  fireEvent.click(order);
  await waitFor(() => expect(sent.some((s) => s.path === '/orders' && s.method === 'POST')).toBe(true));
  expect(sent.find((s) => s.path === '/orders' && s.method === 'POST')?.body).toEqual({
    kind: 'upgrade',
    resource: 'vpngw-1',
    options: { ssl_bandwidth: '20' },
    quote_hash: 'hash',
  });
});

test('SSL that a gateway was bought without is enabled by an order, with the least first', async () => {
  const bare = { ...gateway, services: [], ssl_bandwidth: 0, ssl_connections: 0 };
  const sent = serve({
    ...everything,
    'GET /vpn-gateways': list(bare),
    'GET /vpn-gateways/vpngw-1': bare,
    'GET /ssl-servers': list(),
    'GET /ssl-clients': list(),
    'POST /upgrade-quotes': {
      ...{ quote_hash: 'hash', lines: [], total: { amount: '12.00', currency: 'CNY' } },
      until: '2026-12-22T12:00:00Z',
    },
    'POST /orders': (s: Sent) => ({ ...(s.body as object), id: 'ord_1' }),
  });
  await visit('/');
  fireEvent.click(await screen.findByRole('button', { name: 'Enable SSL VPN' }));
  expect((await screen.findAllByText('Not bought')).length).toBe(2);
  fireEvent.click(screen.getByRole('button', { name: 'Enable SSL VPN' }));
  const order = await screen.findByRole('button', { name: 'Place the order' });
  await waitFor(() => expect((order as HTMLButtonElement).disabled).toBe(false));
  fireEvent.click(order);
  await waitFor(() => expect(sent.some((s) => s.path === '/orders' && s.method === 'POST')).toBe(true));
  const quoted = sent.find((s) => s.path === '/upgrade-quotes')?.body as { options: object };
  expect(quoted.options).toEqual({ ssl_bandwidth: '5', ssl_connections: '5' });
});

test('a gateway is released only after its name was typed, and what is lost is said', async () => {
  const sent = serve({ ...everything, 'DELETE /vpn-gateways/vpngw-1': {} });
  await visit('/vpn-gateways/vpngw-1');
  fireEvent.click(await screen.findByRole('button', { name: 'Release' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText('Nothing is refunded for the time that is left.')).toBeTruthy();
  const yes = dialog.getByRole('button', { name: 'Release' }) as HTMLButtonElement;
  expect(yes.disabled).toBe(true);
  fireEvent.change(dialog.getByRole('textbox'), { target: { value: 'office' } });
  expect(yes.disabled).toBe(false);
  fireEvent.click(dialog.getByRole('checkbox'));
  fireEvent.click(yes);
  await waitFor(() => expect(sent.some((s) => s.method === 'DELETE')).toBe(true));
});

test('quotas are bars with their numbers, limits are in words', async () => {
  serve({
    ...everything,
    'GET /quotas': list(
      { name: 'vpn_gateways', region: 'hk-1', used: 1, limit: 30 },
      { name: 'ssl_clients', resource: 'sslsrv-1', label: 'remote', used: 20, limit: 20 },
    ),
    'GET /limits': list(
      { name: 'mtu', low: 576, high: 1500 },
      { name: 'idle_timeout', low: 60, high: 604800, off: true },
      { name: 'port', low: 443, high: 443 },
      { name: 'port', low: 1024, high: 4499 },
    ),
  });
  await visit('/quotas');
  expect(await screen.findByText('1 / 30')).toBeTruthy();
  expect(screen.getByRole('progressbar', { name: 'SSL clients remote 20 / 20' })).toBeTruthy();
  expect(screen.getByText('576 – 1,500')).toBeTruthy();
  expect(screen.getByText('60 – 604,800 (0 turns it off)')).toBeTruthy();
  expect(screen.getByText('443, 1,024 – 4,499')).toBeTruthy();
});

test('more of a quota is asked for, and what was asked stands beside it', async () => {
  const quota = { name: 'ssl_gateways', used: 1, limit: 30, settable: true };
  let asked: number | undefined;
  const sent = serve({
    ...everything,
    'GET /quotas': () => list({ ...quota, asked }),
    'GET /limits': list(),
    'POST /quota-requests': (s: Sent) => {
      asked = (s.body as { limit: number }).limit;
    },
  });
  await visit('/quotas');
  fireEvent.click(await screen.findByRole('button', { name: 'Ask for more: Gateways with SSL' }));
  fireEvent.change(await screen.findByLabelText('Wanted limit'), { target: { value: '45' } });
  fireEvent.click(screen.getByRole('button', { name: 'Send the request' }));
  expect(await screen.findByText('45 requested')).toBeTruthy();
  expect(sent.find((s) => s.path === '/quota-requests')?.body).toEqual({ name: 'ssl_gateways', limit: 45 });
});

test('a table of clients is checked, made in parts and told of row by row', async () => {
  const sent = serve({
    ...everything,
    'GET /ssl-servers': list({ id: 'sslsrv-1', name: 'remote', gateway: 'vpngw-1' }),
    'POST /ssl-clients/batch': (s: Sent) => {
      const { csv, dry_run } = s.body as { csv: string; dry_run?: boolean };
      const rows = csv.replace('\uFEFF', '').trim().split('\n').slice(1);
      return {
        items: rows.map((name, i) =>
          name === 'bad!'
            ? { row: i + 2, name, column: 'name', code: 'vpn.name_invalid', message: 'A bad name.' }
            : { row: i + 2, name, id: dry_run ? undefined : `sslcli-${name}` },
        ),
      };
    },
  });
  await visit('/ssl-clients?batch=1');
  await screen.findByText('remote');
  const names = Array.from({ length: 24 }, (_, i) => (i === 22 ? 'bad!' : `client-${i}`));
  const file = new File([['\uFEFFname', ...names].join('\n')], 'people.csv', { type: 'text/csv' });
  fireEvent.change(document.querySelector('input[type=file]') as HTMLInputElement, {
    target: { files: [file] },
  });
  expect(await screen.findByText('23 of 24 rows can be created')).toBeTruthy();
  expect(screen.getByText('A bad name.')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Create 23 clients' }));
  expect(await screen.findByText('23 of 24 clients were created')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Download the result' })).toBeTruthy();
  const made = sent.filter((s) => s.path === '/ssl-clients/batch').slice(1);
  expect(made.length).toBe(2);
  expect(new Set(made.map((s) => s.key)).size).toBe(2);
});

test('a table is split between rows, never within quotation marks, and rows keep their numbers', () => {
  expect(splitTable('\uFEFFname,x\r\na,1\r\n\r\nb,"2\n3"\r\nc,4\r\n', 2)).toEqual([
    { text: 'name,x\na,1\n\nb,"2\n3"', first: 2 },
    { text: 'name,x\nc,4', first: 6 },
  ]);
  expect(splitTable('')).toEqual([]);
});

test('clients are filtered by state and by live sessions, by the API, and a filter can be cleared', async () => {
  const client = {
    id: 'sslcli-9',
    server: 'sslsrv-1',
    name: 'zhang',
    state: 'enabled',
    sessions: 1,
    routes: [],
    groups: [],
  };
  const sent = serve({
    ...everything,
    'GET /ssl-clients': (s: Sent) => (s.query.get('state') === 'disabled' ? list() : list(client)),
  });
  await visit('/ssl-clients');
  expect(await screen.findByText('Online · 1')).toBeTruthy();
  const pick = async (label: string, option: string) => {
    fireEvent.mouseDown(screen.getByRole('combobox', { name: label }));
    fireEvent.click(await screen.findByText(option, { selector: '.ant-select-item-option-content' }));
  };
  await pick('Live sessions', 'Online');
  await waitFor(() => expect(sent.at(-1)?.query.get('online')).toBe('true'));
  await pick('State', 'Disabled');
  fireEvent.click(await screen.findByRole('button', { name: 'Clear the search' }));
  expect(await screen.findByText('zhang')).toBeTruthy();
  const asked = sent.find((s) => s.query.get('state') === 'disabled');
  expect(asked?.query.get('online')).toBe('true');
});
