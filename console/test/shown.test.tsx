import { fireEvent, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

const mine = { 'GET /me': me, 'GET /notices': list(), 'GET /me/holds': list(), 'GET /me/data': list() };
const read = { at: '2026-11-28T03:00:00Z', handle: '', purpose: 'rights', log_index: 1 };

test('who read what and why is told in words; a case keeps its number, and staff their own words', async () => {
  serve({
    ...mine,
    'GET /reads': list(
      { ...read, id: 'rd_1', reader: 'self', fields: ['account_person.email'], reason: 'look' },
      { ...read, id: 'rd_2', reader: 'staff', fields: ['realname_verification.number'], reason: 'dsr_4kq2' },
      { ...read, id: 'rd_3', reader: 'staff', fields: ['contact_qq.number'], reason: 'he called from Lhasa' },
    ),
  });
  await visit('/my-data?tab=reads');
  for (const words of [
    'e-mail address',
    'opened on the page of your data',
    'identity number',
    'for case dsr_4kq2',
    'QQ number',
    'he called from Lhasa',
  ])
    expect((await screen.findAllByText(words))[0]).toBeTruthy();
});

test('columns are named in words, and a table of which nothing can be shown is no dead end', async () => {
  const data = { categories: ['contact.email'], kept: [], rows: 3, withheld: 0, law: '', until: '' };
  serve({
    ...mine,
    'GET /me/data': list({ ...data, table: 'account_person' }, { ...data, table: 'realname_attempt' }),
    'GET /me/data/account_person': {
      columns: ['email', 'name'],
      rows: [['a@example.org', 'alice']],
      total: 1,
    },
    'GET /me/data/realname_attempt': { columns: [], rows: [], total: 3 },
  });
  await visit('/my-data');
  const looks = await screen.findAllByText('Open');
  expect(screen.queryByText('account_person')).toBeNull();
  fireEvent.click(looks[0] as HTMLElement);
  expect((await screen.findAllByText('user name'))[0]).toBeTruthy();
  fireEvent.click(looks[1] as HTMLElement);
  expect(await screen.findByText(/^3 entries\./)).toBeTruthy();
});
