import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, serve, visit, type Sent } from './page';

const certificate = {
  id: 'cert-1',
  name: 'root',
  description: 'of the lab',
  type: 'client-ca',
  state: 'valid',
  subject: '',
  issuer: '',
  serial: '01',
  names: [],
  key_type: '',
  fingerprint: '',
  not_after: '2030-01-01T00:00:00Z',
  has_key: false,
  used_by: [],
  version: 3,
};

test('a description is shown, and changed in place with the version that was seen', async () => {
  let description = certificate.description;
  const sent = serve({
    'GET /me': me,
    'GET /notices': list(),
    'GET /certificates/cert-1': () => ({ ...certificate, description }),
    'PATCH /certificates/cert-1': (s: Sent) => {
      ({ description } = s.body as { description: string });
      return { ...certificate, description };
    },
  });
  await visit('/certificates/cert-1');
  expect(await screen.findByText('of the lab')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Change the description' }));
  const [field] = (await screen.findAllByDisplayValue('of the lab')) as [HTMLElement];
  fireEvent.change(field, { target: { value: 'of the office' } });
  fireEvent.keyDown(field, { key: 'Enter', keyCode: 13 });
  fireEvent.keyUp(field, { key: 'Enter', keyCode: 13 });
  expect(await screen.findByText('of the office')).toBeTruthy();
  await waitFor(() =>
    expect(sent.find((s) => s.method === 'PATCH')?.body).toEqual({ description: 'of the office' }),
  );
});
