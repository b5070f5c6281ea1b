import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, Refused, serve, visit } from './page';

const money = (amount: string) => ({ amount, currency: 'CNY' });
const invoice = {
  id: 'inv_1',
  kind: 'invoice',
  number: 'INV-2026-000007',
  state: 'partially_refunded',
  order: 'ord_1',
  order_kind: 'new',
  total: money('106.00'),
  net: money('100.00'),
  tax: money('6.00'),
  tax_percent: '6%',
  credited: money('53.00'),
  paid_at: '2026-11-28T08:01:00Z',
  issued_at: '2026-11-28T08:01:00Z',
};
const note = {
  ...invoice,
  id: 'crn_1',
  kind: 'credit_note',
  number: 'CN-2026-000002',
  state: 'issued',
  total: money('53.00'),
  credited: money('0.00'),
  refund: 'R1',
  invoice: 'inv_1',
};
const line = {
  product: 'vpn-gateway',
  product_name: 'VPN gateway',
  region: 'hk-1',
  region_name: 'Hong Kong 1',
  options: { ssl_bandwidth: '5' },
  chosen: 'SSL bandwidth 5 Mbit/s',
  months: 1,
  amount: money('106.00'),
};
const detail = {
  ...invoice,
  account: 'acc_1',
  seller: { legal_name: 'Example Cloud', tax_number: '91310000MA1FL00000' },
  lines: [line],
  credit_notes: [note],
};
const base = { 'GET /me': me, 'GET /notices': list() };

test('an invoice shows what was sold by its name, its tax, and what went back', async () => {
  const sent = serve({ ...base, 'GET /invoices/inv_1': detail });
  await visit('/invoices/inv_1', 'en');
  expect(await screen.findByText('VPN gateway · Hong Kong 1')).toBeDefined();
  expect(screen.getByText('Tax (6%)')).toBeDefined();
  expect(screen.getByText('CN-2026-000002').closest('a')?.getAttribute('href')).toBe('/invoices/crn_1');
  expect(screen.getByText('PDF').closest('a')?.getAttribute('href')).toBe(
    '/api/v1/invoices/inv_1/pdf?language=en',
  );
  expect(sent.find((s) => s.path === '/invoices/inv_1')?.query.get('language')).toBe('en');
});

test('credit notes are written below zero in the list', async () => {
  serve({ ...base, 'GET /invoices': list(invoice, note) });
  await visit('/invoices', 'en');
  expect(await screen.findByText('-¥53.00')).toBeDefined();
  expect(screen.getByText('¥106.00')).toBeDefined();
});

test('without a document there is a word about when there will be one', async () => {
  serve({ ...base, 'GET /invoices': list(), 'GET /bills': list() });
  await visit('/invoices', 'en');
  expect(await screen.findByText('The first order that you pay brings one.')).toBeDefined();
});

test('bills that cannot be read say why', async () => {
  serve({ ...base, 'GET /bills': new Refused(503, 'api.unavailable') });
  await visit('/bills', 'en');
  expect(await screen.findByText('api.unavailable', undefined, { timeout: 10_000 })).toBeDefined();
});

test('the bill of the newest month is open, and another may be chosen by order and resource', async () => {
  const sum = { count: 1, charged: money('106.00'), credited: money('-53.00'), total: money('53.00') };
  const sent = serve({
    ...base,
    'GET /bills': list({ ...sum, month: '2026-11' }, { ...sum, month: '2026-10' }),
    'GET /bills/month': {
      ...sum,
      month: '2026-11',
      orders: [{ ...sum, order: 'ord_1' }],
      resources: [sum],
      lines: [
        {
          ...line,
          id: 'inv_1',
          number: invoice.number,
          kind: 'invoice',
          order: 'ord_1',
          order_kind: 'new',
          issued_at: invoice.issued_at,
        },
      ],
    },
  });
  await visit('/bills', 'en');
  expect(await screen.findByText('INV-2026-000007')).toBeDefined();
  expect(sent.find((s) => s.path === '/bills/month')?.query.get('month')).toBe('2026-11');
  expect(screen.getByText('Save as CSV').closest('a')?.getAttribute('href')).toBe(
    '/api/v1/bills/export?month=2026-11&language=en',
  );
  fireEvent.click(screen.getByRole('tab', { name: 'By resource' }));
  expect(await screen.findByText('No resource')).toBeDefined();
  fireEvent.click(screen.getByRole('tab', { name: 'By order' }));
  await waitFor(() =>
    expect(screen.getByText('ord_1').closest('a')?.getAttribute('href')).toBe('/orders/ord_1'),
  );
});
