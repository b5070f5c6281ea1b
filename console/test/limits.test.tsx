import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ClientLimits } from '../src/components/client-limits';
import type { SSLClient } from '../src/api/types';
import { serve, show } from './page';

const client = {
  id: 'sslcli-1',
  name: 'zhang',
  up_kbps: 2000,
  down_kbps: 0,
  daily_quota_bytes: 2e9,
  monthly_quota_bytes: 0,
  version: 3,
} as SSLClient;

test('shows what is used of an allowance, and changes limits', async () => {
  const sent = serve({
    'GET /ssl-clients/sslcli-1/usage': {
      day_bytes: 2_500_000_000,
      day_ends_at: '2026-11-28T16:00:00Z',
      month_bytes: 7_000_000_000,
      month_ends_at: '2026-11-30T16:00:00Z',
    },
    'PATCH /ssl-clients/sslcli-1': {},
  });
  await show(<ClientLimits client={client} />);
  expect(await screen.findByText('2.5 GB of 2 GB used')).toBeTruthy();
  expect(screen.getByText('7 GB used')).toBeTruthy();
  expect(screen.getByText(/sign-in is refused until/)).toBeTruthy();
  expect(screen.getAllByRole('progressbar')).toHaveLength(1);

  fireEvent.click(screen.getByRole('button', { name: 'Change limits' }));
  fireEvent.change(await screen.findByLabelText('Traffic per month'), { target: { value: '30' } });
  fireEvent.change(screen.getByLabelText('Rate to the client'), { target: { value: '0.5' } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => {
    const patch = sent.find((s) => s.method === 'PATCH');
    expect(patch?.body).toEqual({
      up_kbps: 2000,
      down_kbps: 500,
      daily_quota_bytes: 2e9,
      monthly_quota_bytes: 3e10,
    });
    expect(patch?.match).toBe('"3"');
  });
});
