import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, Refused, serve, visit } from './page';

const ticket = {
  id: 'tkt_1',
  ticket_title: 'the tunnel stops',
  department: 'technical',
  priority: 'high',
  state: 'awaiting_customer',
  opened_at: '2026-11-28T08:00:00Z',
  changed_at: '2026-11-28T09:00:00Z',
};
const thread = {
  ...ticket,
  messages: [
    { id: 'm1', by_staff: false, words: 'It stops.', html: '<p>It stops.</p>', at: '2026-11-28T08:00:00Z' },
    {
      id: 'm2',
      by_staff: true,
      words: '**Update**',
      html: '<p><strong>Update</strong></p>',
      at: '2026-11-28T09:00:00Z',
    },
  ],
  files: [
    {
      id: 'f1',
      by_staff: false,
      file_name: 'diag.zip',
      media: 'application/octet-stream',
      size: 10,
      quarantined: true,
      at: '2026-11-28T08:01:00Z',
    },
  ],
};
const customer = { 'GET /me': me, 'GET /notices': list(), 'GET /vpn-gateways': list() };
const desk = { ...customer, 'GET /me': { ...me, staff: true, permissions: ['ticket.handle'] } };

test('a customer reads what was said and goes on', async () => {
  const sent = serve({ ...customer, 'GET /tickets/tkt_1': thread, 'POST /tickets/tkt_1/messages': ticket });
  visit('/tickets/tkt_1');
  await screen.findByText('It stops.');
  expect(screen.getByText('Update').tagName).toBe('STRONG');
  screen.getByText('We answered and wait for you.', { exact: false });
  fireEvent.change(screen.getByRole('textbox'), { target: { value: 'It works.' } });
  fireEvent.click(screen.getByRole('button', { name: 'Send' }));
  await waitFor(() => expect(sent.some((s) => s.method === 'POST')).toBe(true));
  const post = sent.find((s) => s.method === 'POST');
  expect(post?.body).toEqual({ words: 'It works.' });
  expect(post?.key).toBeTruthy();
});

test('what is about personal data becomes a request of the rights desk', async () => {
  const sent = serve({
    ...customer,
    'GET /tickets': list(),
    'POST /data-subject-requests': { id: 'dsr_1' },
    'GET /data-subject-requests': list(),
  });
  visit('/tickets?create=1');
  const dialog = await screen.findByRole('dialog');
  fireEvent.mouseDown(within(dialog).getByLabelText('Department'));
  fireEvent.click(
    await screen.findByText('My personal data', { selector: '.ant-select-item-option-content' }),
  );
  fireEvent.mouseDown(await within(dialog).findByLabelText('What is it about?'));
  fireEvent.click(
    await screen.findByText('To see my data', { exact: false, selector: '.ant-select-item-option-content' }),
  );
  fireEvent.click(within(dialog).getByRole('button', { name: 'Send' }));
  await waitFor(() =>
    expect(sent.some((s) => s.path === '/data-subject-requests' && s.method === 'POST')).toBe(true),
  );
  expect(sent.find((s) => s.method === 'POST')?.body).toMatchObject({ kind: 'access', channel: 'ticket' });
  expect(sent.some((s) => s.path === '/tickets' && s.method === 'POST')).toBe(false);
});

test('staff get no file out of quarantine but in their name, and no QQ number unasked', async () => {
  const sent = serve({
    ...desk,
    'GET /admin/tickets/tkt_1': {
      ...thread,
      account: 'acc_1',
      handle: 'sub_1',
      claimed_by_you: true,
      staff_notes: [],
    },
    'GET /admin/canned-replies': list(),
    'POST /admin/tickets/tkt_1/files/f1/release': () => undefined,
    'POST /admin/tickets/tkt_1/qq': new Refused(404, 'contact.none'),
  });
  visit('/admin/tickets/tkt_1');
  expect(((await screen.findByRole('button', { name: 'Save diag.zip' })) as HTMLButtonElement).disabled).toBe(
    true,
  );
  expect(sent.some((s) => s.path.endsWith('/qq'))).toBe(false);
  fireEvent.click(screen.getByRole('button', { name: 'Let out' }));
  const dialog = await screen.findByRole('dialog');
  fireEvent.click(within(dialog).getByRole('button', { name: 'Let out' }));
  await waitFor(() => expect(sent.some((s) => s.path.endsWith('/release'))).toBe(true));
  fireEvent.click(screen.getByRole('button', { name: 'Show the QQ number' }));
  await screen.findByText('Sentence of contact.none');
});

test('a note and an answer go different ways', async () => {
  const sent = serve({
    ...desk,
    'GET /admin/tickets/tkt_1': { ...thread, account: 'acc_1', claimed_by_you: false, staff_notes: [] },
    'GET /admin/canned-replies': list(),
    'POST /admin/tickets/tkt_1/notes': () => undefined,
  });
  visit('/admin/tickets/tkt_1');
  fireEvent.click(await screen.findByRole('tab', { name: 'Note' }));
  const panel = await screen.findByRole('tabpanel', { name: 'Note' });
  fireEvent.change(within(panel).getByRole('textbox'), { target: { value: 'looks like the rekey' } });
  fireEvent.click(within(panel).getByRole('button', { name: 'Keep the note' }));
  await waitFor(() => expect(sent.some((s) => s.path === '/admin/tickets/tkt_1/notes')).toBe(true));
  expect(sent.some((s) => s.path === '/admin/tickets/tkt_1/messages')).toBe(false);
});
