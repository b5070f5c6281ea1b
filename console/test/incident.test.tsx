import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { countdown, nextClock } from '../src/components/incident-clock';
import { list, me, serve, visit } from './page';

const fields = ['kinds', 'cause', 'harm', 'impact', 'taken', 'planned', 'advice', 'remedy', 'contact'];
const soon = new Date(Date.now() + 3_600_000).toISOString();
const file = {
  id: 'inc_1',
  kind: 'leak',
  state: 'assessed',
  t0: '2026-11-22T01:00:00Z',
  detected_by: 'monitoring',
  sensitive: false,
  critical: false,
  people: 1_000_000,
  counted_at: '2026-11-22T02:00:00Z',
  grade: 'large',
  announce_owed: false,
  opened_at: '2026-11-22T02:00:00Z',
  clocks: [
    { rule: 'people.24h', due_at: '2099-01-01T00:00:00Z' },
    { rule: 'authority.4h', due_at: soon },
  ],
  scope: [],
  facts: {},
  fact_names: ['systems'],
  fields,
  channels: ['push', 'mail'],
  steps: [],
  notices: [],
  signatures: [],
  reports: [],
  told: 0,
  reached: 0,
  unreachable: 0,
  open_tasks: 0,
};
const desk = { ...me, staff: true, permissions: ['incident.read', 'incident.handle', 'incident.sign'] };

test('the clock that runs out first is the next', () => {
  expect(nextClock(file.clocks)?.rule).toBe('authority.4h');
  expect(nextClock([{ rule: 'a.1h', due_at: soon, met_at: soon }])).toBeUndefined();
  expect(countdown(90_061_000)).toBe('1 d 01:01:01');
  expect(countdown(-61_000)).toBe('00:01:01');
});

test('the editor says what is missing and does not send before', async () => {
  const sent = serve({
    'GET /me': desk,
    'GET /notices': list(),
    'GET /me/incident-notices': list(),
    'GET /admin/incidents/inc_1': file,
    'POST /admin/incidents/inc_1/notice': {},
    'POST /admin/incidents/inc_1/send-notice': undefined,
  });
  await visit('/admin/incidents/inc_1');
  expect(await screen.findByText('18 fields are missing')).toBeTruthy();
  const send = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Send to everybody' });
  expect(send().disabled).toBe(true);
  const boxes = () => fields.map((f) => document.querySelector<HTMLTextAreaElement>(`#notice-${f}`));
  const fillIn = () => {
    for (const box of boxes()) if (box) fireEvent.change(box, { target: { value: 'words' } });
  };
  fillIn();
  expect(screen.getByText('9 fields are missing')).toBeTruthy();
  fireEvent.click(screen.getByText('English'));
  fillIn();
  expect(screen.getByText('Nothing is missing')).toBeTruthy();
  fireEvent.click(send());
  const ask = within(await screen.findByRole('tooltip'));
  fireEvent.click(ask.getByRole('button', { name: 'Send to everybody' }));
  await waitFor(() => expect(sent.some((s) => s.path.endsWith('/send-notice'))).toBe(true));
  const words = sent.find((s) => s.path.endsWith('/notice'))?.body as { words: Record<string, object> };
  expect(Object.keys(words.words.en ?? {})).toEqual(fields);
});

test('whom an incident reaches sees it above every page, reads it and says so', async () => {
  let seen = false;
  serve({
    'GET /me': me,
    'GET /notices': list(),
    'GET /consents': { items: [], states: [] },
    'GET /me/incident-notices': () =>
      list({
        id: 'ntc_1',
        title: 'Notice',
        text: 'What happened',
        at: '2026-11-22T02:00:00Z',
        seen_at: seen ? '2026-11-22T03:00:00Z' : undefined,
      }),
    'POST /me/incident-notices/ntc_1/seen': () => {
      seen = true;
      return undefined;
    },
  });
  await visit('/my-data?tab=incidents');
  expect(await screen.findByText('Something happened that concerns your data')).toBeTruthy();
  expect(await screen.findByText('What happened')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'I have read it' }));
  await waitFor(() => expect(screen.queryByText('Something happened that concerns your data')).toBeNull());
  expect(seen).toBe(true);
});
