import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, Refused, serve, visit, type Sent } from './page';

const money = (amount: string) => ({ amount, currency: 'CNY' });
const order = {
  id: 'ord_1',
  kind: 'new',
  state: 'completed',
  total: money('3489.00'),
  placed_at: '2026-11-28T08:00:00Z',
  paid_at: '2026-11-28T08:01:00Z',
  ended_at: '2026-11-28T08:02:00Z',
  lines: [
    {
      id: 'orl_1',
      number: 1,
      kind: 'recurring',
      product: 'vpn-gateway',
      region: 'cn-east-1',
      options: {},
      configuration: { name: 'shanghai-office' },
      cycle: 12,
      amount: money('3489.00'),
      state: 'delivered',
    },
  ],
};
const offer = {
  rule: 'full',
  amount: money('3489.00'),
  wallet_share: money('489.00'),
  targets: ['original', 'wallet'],
  until: '2026-12-05T08:01:00Z',
  left: 19,
  services_ending: 1,
};
const refund = {
  number: 'R1',
  order: 'ord_1',
  rule: 'full',
  target: 'original',
  amount: money('3489.00'),
  state: 'review',
  requested_at: '2026-11-29T08:00:00Z',
};
const failed = {
  ...refund,
  state: 'failed',
  problem: 'payment.refund_abnormal',
  suspended_at: '2026-11-29T08:03:00Z',
};
const customer = {
  'GET /me': me,
  'GET /notices': list(),
  'GET /regions': list(),
  'GET /products': list(),
  'GET /orders/ord_1': order,
};
const posts = (sent: { method: string; path: string; body: unknown }[]) =>
  sent.filter((s) => s.method === 'POST').map((s) => [s.path, s.body]);

test('a customer sees what would go back, and names what ends before asking', async () => {
  const all: unknown[] = [];
  const sent = serve({
    ...customer,
    'GET /orders/ord_1/refunds': () => list(...all),
    'GET /orders/ord_1/refund-offer': offer,
    'POST /orders/ord_1/refunds': () => {
      all.push(refund);
      return refund;
    },
  });
  await visit('/orders/ord_1');
  expect(await screen.findByText('19 left after this one')).toBeTruthy();
  expect(screen.getByText('The way it was paid, The wallet here')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Ask for a refund' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText('1 service ends')).toBeTruthy();
  expect(dialog.getByText('shanghai-office')).toBeTruthy();
  expect(dialog.getByText(/489\.00/, { selector: 'dd' })).toBeTruthy();
  const act = dialog.getByRole<HTMLButtonElement>('button', { name: /^Have .*3,489\.00 back$/ });
  expect(act.disabled).toBe(true);
  fireEvent.click(dialog.getByRole('checkbox'));
  fireEvent.click(dialog.getByRole('radio', { name: /The wallet here/ }));
  fireEvent.click(act);
  expect(await screen.findByText('Waits for a decision')).toBeTruthy();
  expect(posts(sent)).toEqual([['/orders/ord_1/refunds', { target: 'wallet' }]]);
  expect(sent.find((s) => s.method === 'POST')?.key).toMatch(/^[0-9a-f]{32}$/);
});

test('where nothing goes back the card says why, and offers nothing', async () => {
  serve({
    ...customer,
    'GET /orders/ord_1/refunds': list(),
    'GET /orders/ord_1/refund-offer': new Refused(409, 'payment.refund_changed'),
  });
  await visit('/orders/ord_1');
  expect(await screen.findByText('Sentence of payment.refund_changed')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Ask for a refund' })).toBeNull();
});

test('refunds that cannot be read are an error with a way to try again', async () => {
  serve({ ...customer, 'GET /orders/ord_1/refunds': new Refused(500, 'api.internal') });
  await visit('/orders/ord_1');
  expect(await screen.findByText('Sentence of api.internal')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy();
});

test('a refund that failed leaves the choice to keep the service', async () => {
  const sent = serve({
    ...customer,
    'GET /orders/ord_1/refunds': list(failed),
    'POST /refunds/R1/keep-service': { ...failed, state: 'cancelled' },
  });
  await visit('/orders/ord_1');
  expect(await screen.findByText(/does not take the money back/)).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Keep the service' }));
  const ask = await screen.findByRole('tooltip');
  fireEvent.click(within(ask).getByRole('button', { name: 'Keep the service' }));
  await waitFor(() => expect(posts(sent)).toEqual([['/refunds/R1/keep-service', undefined]]));
  expect(sent.some((s) => s.path.endsWith('/refund-offer'))).toBe(false);
});

test('an order that was never paid has no card of refunds', async () => {
  const sent = serve({
    ...customer,
    'GET /orders/ord_1': { ...order, state: 'expired', paid_at: undefined },
  });
  await visit('/orders/ord_1');
  expect(await screen.findByText('What is bought')).toBeTruthy();
  expect(sent.some((s) => s.path.endsWith('/refunds'))).toBe(false);
});

const staffed = { ...refund, account: 'acc_7', payment: 'S1', gateway: 'alipay-demo', seconded: false };
const detail = (more: object = {}) => ({
  ...staffed,
  seconded_by_you: false,
  steps: [
    { event: 'request', state: 'requested', class: 'self', reason: 'customer', at: refund.requested_at },
    { event: 'policy_manual', state: 'review', class: 'system', at: refund.requested_at },
  ],
  ...more,
});
const desk = (...permissions: string[]) => ({
  'GET /me': { ...me, staff: true, permissions },
  'GET /notices': list(),
});

test('the list shows what waits for a person where that is asked for', async () => {
  const all = [
    staffed,
    { ...staffed, number: 'R2', state: 'succeeded' },
    { ...staffed, number: 'R3', state: 'unknown', next_query_at: '2026-11-29T09:00:00Z' },
    { ...staffed, number: 'R4', state: 'unknown' },
  ];
  // The server says what waits: R3 is asked for again by the machine.
  const sent = serve({
    ...desk('payment.read'),
    'GET /admin/refunds': ({ query }: Sent) =>
      query.get('state') === 'person' ? list(all[0], all[3]) : list(...all),
  });
  await visit('/admin/refunds');
  expect(await screen.findByRole('link', { name: 'R2' })).toBeTruthy();
  fireEvent.mouseDown(screen.getByRole('combobox', { name: 'State' }));
  fireEvent.click(await screen.findByText('Waits for a person'));
  await waitFor(() =>
    expect(screen.queryAllByRole('link', { name: /^R\d$/ }).map((a) => a.textContent)).toEqual(['R1', 'R4']),
  );
  expect(sent.some((s) => s.query.get('state') === 'person')).toBe(true);
  expect(screen.queryByRole('button', { name: 'Refund an order' })).toBeNull();
});

test('whoever may only read sees the acts, shut, and why', async () => {
  serve({ ...desk('payment.read'), 'GET /admin/refunds/R1': detail() });
  await visit('/admin/refunds/R1');
  const approve = await screen.findByRole<HTMLButtonElement>('button', { name: 'Approve' });
  expect(approve.disabled).toBe(true);
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Decline' }).disabled).toBe(true);
  expect(screen.getByText(/the permission refund.handle is missing/)).toBeTruthy();
  expect(screen.getByText('Laid before a person')).toBeTruthy();
});

test('approving asks for the person first, and says that services end', async () => {
  let proven = false;
  const sent = serve({
    ...desk('payment.read', 'refund.handle'),
    'GET /admin/refunds/R1': () => detail(proven ? { state: 'approved' } : {}),
    'POST /admin/refunds/R1/approve': () => (proven ? staffed : new Refused(403, 'account.step_up_required')),
    'POST /me/step-up': () => {
      proven = true;
      return {};
    },
  });
  await visit('/admin/refunds/R1');
  fireEvent.click(await screen.findByRole('button', { name: 'Approve' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText(/suspended at once and end/)).toBeTruthy();
  fireEvent.click(dialog.getByRole('button', { name: 'Approve' }));
  fireEvent.change(await screen.findByLabelText('Current password'), { target: { value: 'correct horse' } });
  fireEvent.click(screen.getByRole('button', { name: 'Confirm' }));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull());
  expect(posts(sent).map(([path]) => path)).toEqual([
    '/admin/refunds/R1/approve',
    '/me/step-up',
    '/admin/refunds/R1/approve',
  ]);
});

test('the first of two cannot be the second', async () => {
  serve({
    ...desk('payment.read', 'refund.handle'),
    'GET /admin/refunds/R1': detail({ seconded: true, seconded_by_you: true }),
  });
  await visit('/admin/refunds/R1');
  expect((await screen.findByRole<HTMLButtonElement>('button', { name: 'Approve' })).disabled).toBe(true);
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Decline' }).disabled).toBe(false);
  expect(screen.getByText(/Another person has to do so too/)).toBeTruthy();
});

test('declining needs a reason, which is sent as a code', async () => {
  const sent = serve({
    ...desk('payment.read', 'refund.handle'),
    'GET /admin/refunds/R1': detail(),
    'POST /admin/refunds/R1/reject': staffed,
  });
  await visit('/admin/refunds/R1');
  fireEvent.click(await screen.findByRole('button', { name: 'Decline' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.click(dialog.getByRole('button', { name: 'Decline' }));
  expect(await dialog.findByText('This is required')).toBeTruthy();
  expect(posts(sent)).toEqual([]);
  fireEvent.mouseDown(dialog.getByRole('combobox'));
  fireEvent.click(await screen.findByText('What was bought has been used up.'));
  fireEvent.click(dialog.getByRole('button', { name: 'Decline' }));
  await waitFor(() => expect(posts(sent)).toEqual([['/admin/refunds/R1/reject', { reason: 'used_up' }]]));
});

test('a failed refund is tried again, paid into the wallet, or given up', async () => {
  const sent = serve({
    ...desk('payment.read', 'refund.handle'),
    'GET /admin/refunds/R1': detail(failed),
    'POST /admin/refunds/R1/retry': staffed,
    'POST /admin/refunds/R1/to-wallet': staffed,
    'POST /admin/refunds/R1/abandon': staffed,
  });
  await visit('/admin/refunds/R1');
  for (const name of ['Try again', 'Pay into the wallet', 'Give up']) {
    fireEvent.click(await screen.findByRole('button', { name }));
    const dialog = await screen.findByRole('dialog');
    fireEvent.click(within(dialog).getByRole('button', { name }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  }
  expect(posts(sent).map(([path]) => path)).toEqual(
    ['retry', 'to-wallet', 'abandon'].map((act) => `/admin/refunds/R1/${act}`),
  );
});

test('what a provider cannot be asked is settled by what a person found there', async () => {
  const sent = serve({
    ...desk('payment.read', 'refund.handle'),
    'GET /admin/refunds/R1': detail({ state: 'unknown' }),
    'POST /admin/refunds/R1/settle': staffed,
  });
  await visit('/admin/refunds/R1');
  expect(screen.queryByRole('button', { name: 'Ask the provider now' })).toBeNull();
  fireEvent.click(await screen.findByRole('button', { name: 'Say what you found' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.click(dialog.getByRole('radio', { name: 'It was not paid back' }));
  fireEvent.click(dialog.getByRole('button', { name: 'Say what you found' }));
  await waitFor(() =>
    expect(posts(sent)).toEqual([['/admin/refunds/R1/settle', { outcome: 'not_paid_back' }]]),
  );
});

test('where the provider is asked again, nobody settles by hand', async () => {
  const sent = serve({
    ...desk('payment.read'),
    'GET /admin/refunds/R1': detail({ state: 'unknown', next_query_at: '2026-11-29T09:00:00Z' }),
    'POST /admin/refunds/R1/query': undefined,
  });
  await visit('/admin/refunds/R1');
  fireEvent.click(await screen.findByRole('button', { name: 'Ask the provider now' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.click(dialog.getByRole('button', { name: 'Ask the provider now' }));
  await waitFor(() => expect(posts(sent)).toEqual([['/admin/refunds/R1/query', undefined]]));
  expect(screen.queryByRole('button', { name: 'Say what you found' })).toBeNull();
});
