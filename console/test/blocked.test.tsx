// Client certificates of the customer's own CA that a server refuses.

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { BlockedCertificates } from '../src/components/blocked-certificates';
import type { SSLServer } from '../src/api/types';
import { list, Refused, serve, show } from './page';

const server = { id: 'sslsrv-1', client_cas: ['cert-ca'] };
const block = { id: 'cblk-1', issuer: 'CN=Root', serial: '7F', created_at: '2026-11-22T12:00:00Z' };

test('a certificate is blocked by its serial number, listed and let in again', async () => {
  let all = [block];
  const path = '/ssl-servers/sslsrv-1/blocked-certificates';
  let refuse = true;
  const sent = serve({
    'GET /certificates': list({ id: 'cert-ca', name: 'our CA', type: 'client-ca' }),
    [`GET ${path}`]: () => list(...all),
    [`POST ${path}`]: () => (refuse ? new Refused(422, 'vpn.block_serial_invalid') : block),
    [`DELETE ${path}/cblk-1`]: () => {
      all = [];
      return undefined;
    },
  });
  await show(<BlockedCertificates server={server as unknown as SSLServer} />);
  expect(await screen.findByText('CN=Root')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Block a certificate' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.click(dialog.getByText('Its serial number'));
  fireEvent.mouseDown(await dialog.findByRole('combobox'));
  fireEvent.click(await screen.findByText('our CA', { selector: '.ant-select-item-option-content' }));
  fireEvent.change(dialog.getByLabelText('Certificate serial'), { target: { value: '7f' } });
  const send = () => fireEvent.click(dialog.getByRole('button', { name: 'Block a certificate' }));
  send();
  expect(await dialog.findByText('Sentence of vpn.block_serial_invalid')).toBeTruthy();
  refuse = false;
  send();
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(sent.filter((s) => s.method === 'POST').at(-1)?.body).toEqual({
    client_ca: 'cert-ca',
    serial: '7f',
  });
  fireEvent.click(screen.getByRole('button', { name: 'Accept again' }));
  fireEvent.click(await screen.findByRole('button', { name: 'OK' }));
  expect(await screen.findByText('No certificate is blocked')).toBeTruthy();
});
