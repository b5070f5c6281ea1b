// The public page by which a person sets a token up.

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { Refused, serve, visit } from './page';

const shown = {
  user_name: 'zhang.san',
  server: 'office',
  totp_secret: 'JBSWY3DPEHPK3PXP',
  totp_uri: 'otpauth://totp/x?secret=JBSWY3DPEHPK3PXP',
  until: '2026-12-01T00:00:00Z',
};

test('a token is shown after a click, bound by a code, and recovery codes are given', async () => {
  let wrong = true;
  const sent = serve({
    'GET /me': new Refused(401, 'account.session_invalid'),
    'POST /token-enrolments': shown,
    'POST /token-enrolments/confirm': () =>
      wrong ? new Refused(422, 'vpn.enrolment_code') : { recovery_codes: ['aaaa-bbbb-cccc-dddd'] },
  });
  window.history.replaceState(null, '', '/enrol#token=abc234');
  await visit('/enrol');
  const start = await screen.findByRole('button', { name: 'Start' });
  expect(window.location.hash).toBe('');
  expect(sent.some((s) => s.path === '/token-enrolments')).toBe(false);
  fireEvent.click(start);
  expect(await screen.findByText('JBSWY3DPEHPK3PXP')).toBeTruthy();
  expect(screen.getByText(/ends your present VPN session/)).toBeTruthy();
  const enter = (code: string) => {
    fireEvent.change(screen.getByRole('textbox'), { target: { value: code } });
    fireEvent.click(screen.getByRole('button', { name: 'Confirm' }));
  };
  enter('000000');
  expect(await screen.findByText('Sentence of vpn.enrolment_code')).toBeTruthy();
  wrong = false;
  enter('123 456');
  expect(await screen.findByText('aaaa-bbbb-cccc-dddd')).toBeTruthy();
  await waitFor(() => expect(sent.at(-1)?.body).toEqual({ token: 'abc234', code: '123456' }));
});

test('without a link there is nothing to start', async () => {
  serve({ 'GET /me': new Refused(401, 'account.session_invalid') });
  window.history.replaceState(null, '', '/enrol');
  await visit('/enrol');
  expect(await screen.findByText(/works only from the link/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Start' })).toBeNull();
  window.history.replaceState(null, '', '/enrol#token=abc234');
  fireEvent(window, new HashChangeEvent('hashchange'));
  expect(await screen.findByRole('button', { name: 'Start' })).toBeTruthy();
  expect(window.location.hash).toBe('');
});
