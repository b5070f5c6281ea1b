import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { list, me, Refused, serve, visit } from './page';

const staff = (...permissions: string[]) => ({
  'GET /me': { ...me, staff: true, permissions },
  'GET /notices': list(),
});
const found = <T extends { method: string; path: string }>(sent: T[], method: string, path: string) =>
  sent.find((s) => s.method === method && s.path === path);

test('a request for more is declined with a reason, and no limit is sent with it', async () => {
  const asked = { account: 'acc_7', name: 'ssl_gateways', limit: 40, asked_at: '2026-11-02T08:00:00Z' };
  const sent = serve({
    ...staff('fleet.read', 'fleet.write'),
    'GET /admin/quota-requests': list(asked),
    'POST /admin/quotas': undefined,
  });
  await visit('/admin/quotas');
  fireEvent.click(await screen.findByRole('button', { name: 'Answer' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.click(dialog.getByRole('radio', { name: 'Decline' }));
  fireEvent.change(dialog.getByLabelText('Reason'), { target: { value: 'case 7' } });
  fireEvent.click(await dialog.findByRole('button', { name: 'Decline' }));
  await waitFor(() => expect(found(sent, 'POST', '/admin/quotas')).toBeTruthy());
  expect(found(sent, 'POST', '/admin/quotas')?.body).toEqual({
    account: 'acc_7',
    name: 'ssl_gateways',
    reason: 'case 7',
    decline: true,
  });
});

test('the values of an identity are shown only after a reason', async () => {
  const review = {
    id: 'rnv_1',
    state: 'manual_review',
    reason: 'realname.no_record',
    masked_name: 'L*',
    masked_number: '1101**********002X',
    submitted_at: '2026-11-02T08:00:00Z',
    account: 'acc_7',
    band: '',
  };
  const sent = serve({
    ...staff('realname.review', 'realname.reveal'),
    'GET /admin/real-name-verifications': list(review),
    'POST /admin/real-name-verifications/rnv_1/reveal': { name: 'Lin Example', number: '1' },
  });
  await visit('/admin/real-name');
  fireEvent.click(await screen.findByRole('button', { name: 'Show the values' }));
  const dialog = within(await screen.findByRole('dialog'));
  const act = dialog.getByRole<HTMLButtonElement>('button', { name: 'Show the values' });
  expect(act.disabled).toBe(true);
  fireEvent.change(dialog.getByLabelText('Ticket or case'), { target: { value: 'TK-1' } });
  fireEvent.click(act);
  expect(await dialog.findByText('Lin Example')).toBeTruthy();
  expect(found(sent, 'POST', '/admin/real-name-verifications/rnv_1/reveal')?.body).toEqual({
    reason: 'TK-1',
  });
});

test('anybody reads the data map in words, and what is not personal is one choice away', async () => {
  const column = (Name: string, Category: string) => ({
    Name,
    Category,
    Why: Category ? '' : 'a machine of the operator',
    Subject: '',
    Purposes: Category ? ['security_audit'] : null,
    Basis: Category ? 'duty' : '',
    Retention: Category ? 'netlog' : '',
    Sealed: Category !== '',
  });
  serve({
    'GET /privacy/datamap': {
      sha256: 'ab'.repeat(32),
      map: {
        tables: [
          { Name: 'account_login', Columns: [column('ip', 'net.ip')] },
          { Name: 'fleet_node', Columns: [column('id', '')] },
        ],
      },
    },
  });
  await visit('/data-map');
  expect(await screen.findByText('Login log', { selector: 'div' })).toBeTruthy();
  expect(screen.getByText('Security audit')).toBeTruthy();
  expect(screen.getByText('legal duty')).toBeTruthy();
  expect(screen.queryByText('fleet_node')).toBeNull();
});

const realName = {
  'GET /me': me,
  'GET /notices': list(),
  'GET /real-name-verifications': list(),
  'GET /consent-prompts/realname': prompt('realname'),
  'POST /real-name-verifications': {},
  'POST /consents': {},
};

function prompt(purpose: string) {
  return {
    purpose,
    kind: 'plain',
    document: 'platform',
    version: '1.0.0',
    title: purpose,
    notice: `<p>notice of ${purpose}</p>`,
    text_sha256: 'e3',
    locale: 'en',
    token: `token of ${purpose}`,
    expires_at: '2099-01-01T00:00:00Z',
    adult: false,
  };
}

async function handIn() {
  await visit('/real-name');
  fireEvent.change(await screen.findByLabelText('Name'), { target: { value: 'Lin' } });
  fireEvent.change(screen.getByLabelText('Identity card number'), {
    target: { value: '11010519491231002X' },
  });
}

test('where the profile has it, an identity check waits for the consent to a transfer abroad', async () => {
  const sent = serve({
    ...realName,
    'GET /consents': list(),
    'GET /consent-prompts/crossborder.idv.aliyun': prompt('crossborder.idv.aliyun'),
  });
  await handIn();
  expect(await screen.findByText('notice of crossborder.idv.aliyun')).toBeTruthy();
  const [first, second] = screen.getAllByRole('checkbox');
  const act = screen.getByRole<HTMLButtonElement>('button', { name: 'Verify' });
  fireEvent.click(first as HTMLElement);
  expect(act.disabled).toBe(true);
  fireEvent.click(second as HTMLElement);
  fireEvent.click(act);
  await waitFor(() => expect(found(sent, 'POST', '/real-name-verifications')).toBeTruthy());
  const posts = sent.filter((s) => s.method === 'POST').map((s) => s.path);
  expect(posts).toEqual(['/consents', '/real-name-verifications']);
  expect(found(sent, 'POST', '/consents')?.body).toEqual({
    token: 'token of crossborder.idv.aliyun',
    decision: 'grant',
  });
});

test('where the profile has none, nothing about it is asked', async () => {
  const sent = serve({
    ...realName,
    'GET /consents': list(),
    'GET /consent-prompts/crossborder.idv.aliyun': new Refused(404, 'consent.no_purpose'),
  });
  await handIn();
  const boxes = await screen.findAllByRole('checkbox');
  expect(boxes).toHaveLength(1);
  fireEvent.click(boxes[0] as HTMLElement);
  fireEvent.click(screen.getByRole('button', { name: 'Verify' }));
  await waitFor(() => expect(found(sent, 'POST', '/real-name-verifications')).toBeTruthy());
  expect(found(sent, 'POST', '/consents')).toBeUndefined();
});
