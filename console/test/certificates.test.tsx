// Certificates in the console: uploading with what is wrong said at once, what uses one, renewing with a
// request, and the revoked state.

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, Refused, serve, visit } from './page';

const certificate = {
  id: 'cert-aaaaaaaaaaaaaaaa',
  name: 'office',
  type: 'server',
  state: 'expiring',
  subject: 'CN=vpn.example.com',
  issuer: 'CN=Root',
  serial: '5',
  names: ['vpn.example.com'],
  key_type: 'ECDSA P-256',
  fingerprint: 'ab'.repeat(32),
  not_before: '2026-01-01T00:00:00Z',
  not_after: '2026-12-10T00:00:00Z',
  has_key: true,
  used_by: ['sslsrv-bbbbbbbbbbbbbbbb'],
  version: 1,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
};

const everything = {
  'GET /me': me,
  'GET /notices': list(),
  'GET /certificates': list(certificate),
  [`GET /certificates/${certificate.id}`]: certificate,
};

const pem = (what: string) => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const type = (label: string, text: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value: text } });

test('an upload says what is wrong before it is sent, and after', async () => {
  let refuse = true;
  const sent = serve({
    ...everything,
    'POST /certificates': () => (refuse ? new Refused(422, 'vpn.certificate_key_mismatch') : certificate),
  });
  await visit('/certificates?upload=1');
  const dialog = within(await screen.findByRole('dialog'));
  const send = () => fireEvent.click(dialog.getByRole('button', { name: 'Upload a certificate' }));
  fireEvent.change(dialog.getByLabelText('Name'), { target: { value: 'office' } });
  type('Certificate', 'not a certificate');
  send();
  expect(await dialog.findByText('This has no line “-----BEGIN CERTIFICATE-----”.')).toBeTruthy();
  expect(sent.filter((s) => s.method === 'POST')).toEqual([]);
  type('Certificate', pem('CERTIFICATE'));
  type('Private key', pem('RSA PRIVATE KEY'));
  send();
  expect(await dialog.findByText('Sentence of vpn.certificate_key_mismatch')).toBeTruthy();
  refuse = false;
  send();
  expect(await screen.findByText('CN=vpn.example.com')).toBeTruthy();
  expect(sent.filter((s) => s.method === 'POST').at(-1)?.body).toEqual({
    name: 'office',
    type: 'server',
    certificate_pem: pem('CERTIFICATE'),
    private_key_pem: pem('RSA PRIVATE KEY'),
  });
});

test('deleting one in use tells by what, and every form can be downloaded', async () => {
  serve({
    ...everything,
    [`DELETE /certificates/${certificate.id}`]: new Refused(409, 'vpn.certificate_in_use'),
  });
  await visit(`/certificates/${certificate.id}`);
  expect(await screen.findByText('Expires soon')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: /Download/ }));
  for (const [name, form] of [
    ['PEM with chain', 'pem'],
    ['DER', 'der'],
    ['ZIP: CA, certificate, chain', 'zip'],
  ] as const) {
    const link = await screen.findByRole('link', { name });
    expect(link.getAttribute('href')).toBe(`/api/v1/certificates/${certificate.id}/download?format=${form}`);
  }
  fireEvent.click(screen.getByRole('button', { name: 'Delete certificate' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByRole('link', { name: 'sslsrv-bbbbbbbbbbbbbbbb' })).toBeTruthy();
  fireEvent.click(dialog.getByRole('button', { name: 'Delete certificate' }));
  expect(await dialog.findByText('Sentence of vpn.certificate_in_use')).toBeTruthy();
});

const client = {
  id: 'sslcli-cccccccccccccccc',
  server: 'sslsrv-bbbbbbbbbbbbbbbb',
  gateway: 'vpngw-dddddddddddddddd',
  name: 'router-1',
  state: 'enabled',
  serial: '7',
  certificate_pem: '',
  not_after: '2028-01-01T00:00:00Z',
  secret_until: '2026-12-01T00:00:00Z',
  two_factor: false,
  up_kbps: 0,
  down_kbps: 0,
  routes: [],
  fixed_ip: '',
  two_factor_exempt: false,
  max_sessions: 0,
  version: 1,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
};

test('a client is renewed with a request of its own, and a revoked certificate is shown as such', async () => {
  const issued = { ...certificate, type: 'client', client: client.id, used_by: [client.id], has_key: false };
  let state = 'valid';
  const sent = serve({
    ...everything,
    [`GET /ssl-clients/${client.id}`]: client,
    'GET /ssl-servers/sslsrv-bbbbbbbbbbbbbbbb': new Refused(404, 'vpn.server_not_found'),
    'GET /vpn-gateways/vpngw-dddddddddddddddd': new Refused(404, 'vpn.gateway_not_found'),
    'GET /certificates': () => list({ ...issued, state }),
    [`POST /ssl-clients/${client.id}/reissue-certificate`]: client,
    [`POST /certificates/${certificate.id}/revoke`]: () => {
      state = 'revoked';
      return { ...issued, state };
    },
  });
  await visit(`/ssl-clients/${client.id}`);
  fireEvent.click(await screen.findByRole('tab', { name: 'Certificates' }));
  fireEvent.click(await screen.findByRole('button', { name: 'Renew certificate' }));
  const dialog = within(await screen.findByRole('dialog'));
  type('Certificate request (CSR)', pem('CERTIFICATE REQUEST'));
  fireEvent.click(dialog.getByRole('button', { name: 'Renew certificate' }));
  await waitFor(() =>
    expect(sent.find((s) => s.path.endsWith('/reissue-certificate'))?.body).toEqual({
      csr_pem: pem('CERTIFICATE REQUEST'),
    }),
  );
  fireEvent.click(await screen.findByRole('button', { name: 'Revoke' }));
  fireEvent.click(await screen.findByRole('button', { name: 'OK' }));
  expect(await screen.findByText('Revoked')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Revoke' })).toBeNull();
});

test('new recovery codes are shown once, after a question', async () => {
  const sent = serve({
    ...everything,
    [`GET /ssl-clients/${client.id}`]: { ...client, two_factor: true, token_kind: 'totp', recovery_left: 3 },
    'GET /ssl-servers/sslsrv-bbbbbbbbbbbbbbbb': new Refused(404, 'vpn.server_not_found'),
    'GET /vpn-gateways/vpngw-dddddddddddddddd': new Refused(404, 'vpn.gateway_not_found'),
    [`POST /ssl-clients/${client.id}/recovery-codes`]: { recovery_codes: ['aaaa-bbbb-cccc-dddd'] },
  });
  await visit(`/ssl-clients/${client.id}`);
  expect((await screen.findByText('Recovery codes left')).parentElement?.textContent).toContain('3');
  fireEvent.click(screen.getByRole('button', { name: 'New recovery codes' }));
  expect(sent.some((s) => s.path.endsWith('/recovery-codes'))).toBe(false);
  fireEvent.click(await screen.findByRole('button', { name: 'OK' }));
  expect(await screen.findByText('aaaa-bbbb-cccc-dddd')).toBeTruthy();
});
