import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit } from './page';

test('a person sees what is kept beyond its time, by which law and until when', async () => {
  serve({
    'GET /me': me,
    'GET /notices': list(),
    'GET /consents': { items: [], states: [] },
    'GET /me/holds': list({ class: 'vpn_session', law: 'CSL 28', until: '2027-03-01T16:00:00Z' }),
  });
  await visit('/my-data');
  expect(await screen.findByText('Kept beyond its time: VPN session log')).toBeTruthy();
  expect(screen.getByText(/CSL 28/)).toBeTruthy();
});

test('staff see the runs, and place a hold with its law and end', async () => {
  const hold = {
    id: 'hold_1',
    subject: '',
    class: 'netlog',
    law: 'CSL 28',
    authority: 'a court',
    placed_by: 'sub_x',
    placed_at: '2026-11-01T00:00:00Z',
    until: '2027-03-01T16:00:00Z',
  };
  const sent = serve({
    'GET /me': { ...me, staff: true, permissions: ['retention.read', 'retention.hold'] },
    'GET /notices': list(),
    'GET /admin/holds': list(hold),
    'GET /admin/retention-runs': list({
      run: 'run_1',
      at: '2026-11-01T00:00:00Z',
      class: '',
      examined: 0,
      destroyed: 0,
      held: 0,
      overdue: 0,
      problem: 'clock',
    }),
    'POST /admin/holds': hold,
    'POST /admin/holds/hold_1/end': null,
  });
  await visit('/admin/retention');
  expect(await screen.findByText('Put off: the clock jumped')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Place a hold' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.change(dialog.getByLabelText('Law'), { target: { value: 'CSL 28' } });
  fireEvent.change(dialog.getByLabelText('Asked for by'), { target: { value: 'a court' } });
  fireEvent.change(dialog.getByLabelText('Person'), { target: { value: 'sub_y' } });
  fireEvent.change(dialog.getByLabelText('Until the end of'), { target: { value: '2027-03-01' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Place a hold' }));
  await waitFor(() =>
    expect(sent.find((s) => s.method === 'POST')?.body).toEqual({
      subject: 'sub_y',
      law: 'CSL 28',
      authority: 'a court',
      until: '2027-03-01T16:00:00Z',
    }),
  );
});
