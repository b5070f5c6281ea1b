import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

const running = {
  id: 'ers_1',
  step: 'settle',
  problem: 'unsettled',
  asked_at: '2026-11-02T08:00:00Z',
  due_at: '2026-11-23T16:00:00Z',
  certified: false,
};
const done = {
  ...running,
  step: 'done',
  problem: '',
  effective_at: '2026-11-02T08:03:00Z',
  complete_at: '2026-11-09T08:03:00Z',
  certified: true,
};

test('closing an account tells what is lost, asks for the name and shows the number', async () => {
  const sent = serve({
    'GET /me': me,
    'GET /notices': list(),
    'GET /me/contact': { email: 'a@example.org' },
    'GET /login-sessions': list(),
    'GET /login-log': list(),
    'GET /account-closure': {
      open: [
        { kind: 'service', id: 'svc_1', state: 'active' },
        { kind: 'balance', id: 'CNY', state: '12.34' },
      ],
      goes: ['account_person', 'account_email'],
      stays: [{ table: 'order_order', class: 'order', law: 'ECL 31', until: 'order+3y' }],
    },
    'POST /account-closure': running,
    'GET /erasures/ers_1': running,
  });
  await visit('/security');
  fireEvent.click(await screen.findByRole('button', { name: 'Close account' }));
  const dialog = await screen.findByRole('dialog');
  expect(await within(dialog).findByText(/1 service ends/)).toBeTruthy();
  expect(within(dialog).getByText(/12.34 CNY in your wallet/)).toBeTruthy();
  expect(within(dialog).getByText(/ECL 31/)).toBeTruthy();
  const act = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Close account' });
  expect(act.disabled).toBe(true);
  fireEvent.change(within(dialog).getByRole('textbox'), { target: { value: me.user_name } });
  fireEvent.click(act);
  await waitFor(() =>
    expect(sent.some((s) => s.method === 'POST' && s.path === '/account-closure')).toBe(true),
  );
  expect(await screen.findByText('This account is being erased')).toBeTruthy();
  expect(await screen.findByText(/still to be ended or paid back/)).toBeTruthy();
});

test('whoever has the number sees the end and fetches the certificate', async () => {
  serve({ 'GET /erasures/ers_1': done });
  await visit('/erasures/ers_1');
  expect(await screen.findByText('Everything is erased')).toBeTruthy();
  const link = screen.getByRole<HTMLAnchorElement>('link', { name: /certificate/ });
  expect(link.href).toContain('/api/v1/erasures/ers_1/certificate');
});

test('staff settle what was owed by a paper, and note who confirmed', async () => {
  const full = {
    ...running,
    subject: 'sub_1',
    trigger: 'asked',
    request: '',
    unsettled: [{ kind: 'balance', id: 'CNY', state: '12.34' }],
    recipients: [{ id: 'pay.epay', legal_name: 'Payments Ltd', told_at: running.asked_at }],
    outcomes: [],
  };
  const sent = serve({
    'GET /me': { ...me, staff: true, permissions: ['privacy.handle'] },
    'GET /notices': list(),
    'GET /admin/erasures': list(full),
    'GET /admin/erasures/ers_1': full,
    'POST /admin/erasures/ers_1/settled': {},
    'POST /admin/erasures/ers_1/recipients/pay.epay/acknowledged': {},
  });
  await visit('/admin/erasures');
  fireEvent.click(await screen.findByRole('button', { name: 'Open' }));
  fireEvent.change(await screen.findByLabelText('Settled by'), { target: { value: 'transfer 7' } });
  fireEvent.click(screen.getByRole('button', { name: 'It is settled' }));
  await waitFor(() => expect(sent.some((s) => s.path.endsWith('/settled'))).toBe(true));
  fireEvent.click(screen.getByRole('button', { name: 'Confirmed' }));
  await waitFor(() => expect(sent.some((s) => s.path.endsWith('/acknowledged'))).toBe(true));
});
