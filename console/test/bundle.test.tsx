// The link by which a person without an account fetches a bundle, on both sides.

import { fireEvent, render, screen } from '@testing-library/react';
import { QueryClientProvider } from '@tanstack/react-query';
import { expect, test, vi } from 'vitest';
import { newClient } from '../src/app';
import { BundleLink } from '../src/components/bundle-link';
import type { SSLClient } from '../src/api/types';
import { SettingsProvider } from '../src/lib/settings';
import { startI18n } from '../src/lib/i18n';
import { Refused, serve, visit } from './page';

test('the bundle is fetched by a click, and the address keeps no token', async () => {
  let used = false;
  const sent = serve({
    'GET /me': new Refused(401, 'account.session_invalid'),
    'POST /bundle-downloads': () => (used ? new Refused(404, 'vpn.bundle_link_over') : 'zip'),
  });
  const save = vi.fn<(b: Blob) => string>(() => 'blob:x');
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: save, revokeObjectURL: () => {} }));
  window.history.replaceState(null, '', '/bundle#token=abc234');
  await visit('/bundle');
  const button = await screen.findByRole('button', { name: /Download/ });
  expect(window.location.hash).toBe('');
  expect(sent.some((s) => s.path === '/bundle-downloads')).toBe(false);
  used = true;
  fireEvent.click(button);
  expect(await screen.findByText('Sentence of vpn.bundle_link_over')).toBeTruthy();
  used = false;
  fireEvent.click(button);
  expect(await screen.findByText(/README.txt in it/)).toBeTruthy();
  expect(sent.at(-1)?.body).toEqual({ token: 'abc234' });
  expect(save).toHaveBeenCalledOnce();
});

test('a link is made, shown once and ended', async () => {
  await startI18n('en');
  let until: string | undefined;
  const key_until = '2999-12-01T00:00:00Z';
  const sent = serve({
    'GET /ssl-clients/c1/bundle-link': () => ({ until, key_until }),
    'POST /ssl-clients/c1/bundle-link': () => {
      until = '2999-11-30T00:00:00Z';
      return { url: '/bundle#token=abc234', until, key_until };
    },
    'DELETE /ssl-clients/c1/bundle-link': () => {
      until = undefined;
    },
  });
  render(
    <SettingsProvider initial={{ language: 'en', theme: 'light' }}>
      <QueryClientProvider client={newClient()}>
        <BundleLink client={{ id: 'c1' } as SSLClient} />
      </QueryClientProvider>
    </SettingsProvider>,
  );
  await screen.findByText(/There is no link/);
  fireEvent.click(screen.getByRole('button', { name: 'Make a link' }));
  await screen.findByText(/A link is good until/);
  expect(document.body.textContent).toContain('#token=abc234');
  expect(sent.find((s) => s.method === 'POST')?.body).toEqual({ hours: 24 });
  fireEvent.click(screen.getByRole('button', { name: 'End the link' }));
  await screen.findByText(/There is no link/);
  expect(document.body.textContent).not.toContain('abc234');
});
