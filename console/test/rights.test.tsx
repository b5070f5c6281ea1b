import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { daysLeft } from '../src/components/my-requests';
import { standing } from '../src/pages/admin-training';
import { list, me, serve, visit } from './page';

const day = 86_400_000;
const request = {
  id: 'dsr_1',
  kind: 'question',
  state: 'received',
  channel: 'console',
  identity: 'ok',
  special: '',
  decision: '',
  reason: '',
  law: '',
  received_at: '2026-11-28T03:00:00Z',
  due_at: new Date(Date.now() + 2.5 * day).toISOString(),
  provisional: false,
};
const mine = {
  'GET /me': me,
  'GET /notices': list(),
  'GET /me/holds': list(),
  'GET /me/data': list(),
};

test('days are counted to the first moment that is too late', () => {
  const now = Date.parse('2026-11-28T00:00:00Z');
  expect(daysLeft('2026-11-30T16:00:00Z', now)).toBe(2);
  expect(daysLeft('2026-11-28T16:00:00Z', now)).toBe(0);
  expect(daysLeft('2026-11-27T16:00:00Z', now)).toBe(-1);
});

test('a training ends, and is warned of before', () => {
  const now = Date.parse('2026-11-28T00:00:00Z');
  const until = (days: number) => ({ until: new Date(now + days * day).toISOString(), disabled: false });
  expect(standing(until(40), now)).toBe('live');
  expect(standing(until(20), now)).toBe('ending');
  expect(standing(until(-1), now)).toBe('ended');
  expect(standing({ disabled: false }, now)).toBe('ended');
  expect(standing({ ...until(40), disabled: true }, now)).toBe('disabled');
});

test('a request shows its clock, its answer, and can be taken back', async () => {
  const sent = serve({
    ...mine,
    'GET /data-subject-requests': list(request),
    'GET /data-subject-requests/dsr_1': {
      ...request,
      words: 'why so long?',
      mails: [],
      letter_sha256: '',
      clocks: [],
    },
    'POST /data-subject-requests/dsr_1/withdraw': { ...request, state: 'withdrawn' },
  });
  await visit('/my-data?tab=requests');
  expect(await screen.findByText(/2 days left/)).toBeTruthy();
  fireEvent.click(screen.getByText('Open'));
  expect(await screen.findByText('why so long?')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Take back' }));
  const acts = await screen.findAllByRole('button', { name: 'Take back' });
  fireEvent.click(acts.at(-1) as HTMLElement);
  await waitFor(() =>
    expect(sent.some((s) => s.path === '/data-subject-requests/dsr_1/withdraw')).toBe(true),
  );
});

test('a copy is asked for in one step and says how far it is', async () => {
  const copy = { state: 'making', size: 0, sha256: '' };
  const sent = serve({
    ...mine,
    'GET /data-subject-requests': list({ ...request, kind: 'copy', state: 'carrying', copy }),
    'POST /data-subject-requests': { ...request, kind: 'copy', state: 'carrying', copy },
  });
  await visit('/my-data');
  expect(await screen.findByText('The copy is being made')).toBeTruthy();
  const ask = screen.getByRole('button', { name: 'Make a copy of everything' });
  expect(ask.hasAttribute('disabled')).toBe(true);
  expect(sent.some((s) => s.method === 'POST')).toBe(false);
});

test('a proof pack is asked for, shows how far it is, and is downloaded when it is there', async () => {
  const pack = { state: 'none', percent: 0, size: 0, sha256: '' };
  const sent = serve({
    ...mine,
    'GET /data-subject-requests': list(),
    'GET /me/proof-pack': () => ({ ...pack }),
    'POST /me/proof-pack': () => {
      Object.assign(pack, { state: 'making', percent: 42 });
      return pack;
    },
  });
  await visit('/my-data');
  const make = await screen.findByRole('button', { name: 'Make the proof pack' });
  fireEvent.click(make);
  const bar = await screen.findByRole('progressbar');
  expect(bar.getAttribute('aria-valuenow')).toBe('42');
  await waitFor(() => expect(make.hasAttribute('disabled')).toBe(true));
  Object.assign(pack, { state: 'ready', percent: 100, size: 2048, until: '2026-11-30T03:00:00Z' });
  expect(await screen.findByText('Your proof pack is ready', {}, { timeout: 5000 })).toBeTruthy();
  expect(screen.getByRole('button', { name: /Download the proof pack/ })).toBeTruthy();
  expect(sent.filter((s) => s.method === 'POST').map((s) => s.path)).toEqual(['/me/proof-pack']);
});

test('the desk opens nothing by a slip', async () => {
  const sent = serve({
    ...mine,
    'GET /me': { ...me, staff: true, permissions: ['privacy.handle'] },
    'GET /admin/data-subject-requests': list(request),
    'GET /admin/data-subject-requests/dsr_1': {
      ...request,
      words: 'why so long?',
      mails: [],
      letter_sha256: '',
      clocks: [],
    },
  });
  await visit('/admin/rights');
  const button = () => screen.getAllByText('Open').map((e) => e.closest('button'));
  await screen.findByText('A question to the person in charge');
  fireEvent.click(button().findLast((b) => b) as HTMLElement);
  expect(await screen.findByText(/The reading is recorded for them/)).toBeTruthy();
  expect(sent.some((s) => s.path === '/admin/data-subject-requests/dsr_1')).toBe(false);
  fireEvent.click(button().findLast((b) => b) as HTMLElement);
  expect(await screen.findByText('why so long?')).toBeTruthy();
  expect(screen.getByText('Send the answer').closest('button')?.disabled).toBe(true);
});
