import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { operatorPages } from '../src/app';
import { places } from '../src/lib/nav';
import { list, me, Refused, serve, visit, type Sent } from './page';

const prompt = {
  purpose: 'platform_policy',
  kind: 'plain',
  document: 'platform',
  version: '1.0.0',
  title: 'Privacy policy',
  notice: '<p>what for</p>',
  text_sha256: 'x',
  locale: 'en',
  token: 'once',
  expires_at: '2026-11-22T12:00:00Z',
  adult: true,
};

const everything = {
  'GET /me': me,
  'GET /consent-prompts/platform_policy': prompt,
  'GET /vpn-gateways': list(),
  'GET /ssl-servers': list(),
  'GET /ssl-clients': list(),
  'GET /vpn-sessions': list(),
  'GET /orders': list(),
  'GET /notices': list(),
  'GET /admin/users': list(),
};

const anonymous = new Refused(401, 'api.unauthenticated');

test('a page behind sign-in leads there and back', async () => {
  let signedIn = false;
  const sent = serve({
    ...everything,
    'GET /me': () => (signedIn ? me : anonymous),
    'POST /login-sessions/resume': anonymous,
    'POST /login-sessions': (s: Sent) => {
      const { code } = s.body as { code?: string };
      if (!code) return new Refused(401, 'account.second_factor_required');
      signedIn = true;
      return { id: 'ses_1' };
    },
  });
  await visit('/orders');
  fireEvent.change(await screen.findByLabelText('User name'), { target: { value: 'lin' } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: 'correct horse battery' } });
  fireEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  fireEvent.change(await screen.findByLabelText('Verification code'), { target: { value: '123 456' } });
  fireEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByText('No order yet')).toBeTruthy();
  const bodies = sent.filter((s) => s.path === '/login-sessions').map((s) => s.body);
  expect(bodies.at(-1)).toEqual({
    user_name: 'lin',
    password: 'correct horse battery',
    remember: false,
    code: '123456',
  });
});

test('a wrong password is said with its code, and no second step is shown', async () => {
  serve({ 'POST /login-sessions': new Refused(401, 'account.wrong_password') });
  await visit('/login');
  fireEvent.change(await screen.findByLabelText('User name'), { target: { value: 'lin' } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: 'x' } });
  fireEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByText('Sentence of account.wrong_password')).toBeTruthy();
  expect(screen.getByText('account.wrong_password')).toBeTruthy();
  expect(screen.queryByLabelText('Verification code')).toBeNull();
});

test('registering takes three fields and explicit acts that are never ticked beforehand', async () => {
  const sent = serve({
    ...everything,
    'GET /me': anonymous,
    'POST /accounts': { account: 'acc_1', user_name: 'lin' },
  });
  await visit('/register');
  const boxes = (await screen.findAllByRole('checkbox')) as HTMLInputElement[];
  expect(boxes.map((b) => b.checked)).toEqual([false]);
  const submit = screen.getByRole('button', { name: 'Create account' }) as HTMLButtonElement;
  expect(submit.disabled).toBe(true);
  fireEvent.change(screen.getByLabelText('User name'), { target: { value: 'lin' } });
  fireEvent.change(screen.getByLabelText('E-mail address'), { target: { value: 'lin@example.com' } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: 'correct horse battery' } });
  expect(submit.disabled).toBe(true);
  fireEvent.click(boxes[0] as HTMLInputElement);
  expect(submit.disabled).toBe(false);
  fireEvent.click(submit);
  expect(await screen.findByText('Your account is ready')).toBeTruthy();
  const post = sent.find((s) => s.path === '/accounts');
  expect(post?.body).toEqual({
    user_name: 'lin',
    email: 'lin@example.com',
    password: 'correct horse battery',
    consent_token: 'once',
    adult: true,
  });
  expect(post?.key).toMatch(/^[0-9a-f]{32}$/);
});

test('a minor states the age group first, and reads what follows from it', async () => {
  const sent = serve({
    ...everything,
    'GET /me': anonymous,
    'GET /age-groups': list(
      { age_group: '≤14', rule: 'guardian' },
      { age_group: '15', rule: 'screen' },
      { age_group: '16-17', rule: 'written' },
    ),
    'POST /accounts': { account: 'acc_1', user_name: 'lin' },
  });
  await visit('/register');
  fireEvent.click(await screen.findByRole('button', { name: 'I am under 18' }));
  const groups = (await screen.findAllByRole('radio')) as HTMLInputElement[];
  expect(groups.map((g) => g.checked)).toEqual([false, false, false]);
  expect(screen.queryByLabelText('User name')).toBeNull();
  fireEvent.click(groups[0] as HTMLInputElement);
  expect(await screen.findByText('A guardian opens the account')).toBeTruthy();
  expect(screen.queryByLabelText('User name')).toBeNull();
  fireEvent.click(groups[1] as HTMLInputElement);
  expect(await screen.findByText('Read this together with a guardian')).toBeTruthy();
  fireEvent.change(await screen.findByLabelText('User name'), { target: { value: 'lin' } });
  fireEvent.change(screen.getByLabelText('E-mail address'), { target: { value: 'lin@example.com' } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: 'correct horse battery' } });
  fireEvent.click(await screen.findByRole('checkbox'));
  fireEvent.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText('Your account is ready')).toBeTruthy();
  const body = sent.find((s) => s.path === '/accounts')?.body as Record<string, unknown>;
  expect(body.age_group).toBe('15');
  expect('adult' in body).toBe(false);
});

test('an account that waits for a guardian shows that and the own rights only', async () => {
  serve({ ...everything, 'GET /me': { ...me, age: { age_group: '16-17', needs: 'age.guardian_needed' } } });
  await visit('/buy');
  expect(await screen.findByText("Waiting for your guardian's consent")).toBeTruthy();
});

test('a new major version of the policy stands before everything', async () => {
  let due = ['platform_policy'];
  const sent = serve({
    ...everything,
    'GET /me': () => ({ ...me, consents_due: due }),
    'POST /consents': () => {
      due = [];
      return {};
    },
  });
  await visit('/vpn-gateways');
  expect(await screen.findByText('A policy has changed in substance: please decide again')).toBeTruthy();
  const accept = screen.getByRole('button', { name: 'Agree and continue' }) as HTMLButtonElement;
  expect(accept.disabled).toBe(true);
  for (const box of await screen.findAllByRole('checkbox')) fireEvent.click(box);
  fireEvent.click(accept);
  await waitFor(() => expect(sent.some((s) => s.path === '/consents')).toBe(true));
  expect(sent.find((s) => s.path === '/consents')?.body).toEqual({
    token: 'once',
    decision: 'grant',
    adult: true,
  });
});

test('the shut gate does not shut out from the own data', async () => {
  serve({
    ...everything,
    'GET /me': { ...me, consents_due: ['platform_policy'] },
    'GET /consents': { ...list(), states: [] },
  });
  await visit('/my-data?tab=consents');
  expect(await screen.findByText('No consent is recorded')).toBeTruthy();
  expect(screen.queryByText('A policy has changed in substance: please decide again')).toBeNull();
});

test('every operator page wants its permission', async () => {
  const operator = places.filter((p) => p.group === 'operator');
  expect(operator.map((p) => p.path).toSorted()).toEqual(Object.keys(operatorPages).toSorted());
  expect(operator.filter((p) => !p.permission)).toEqual([]);
  const sent = serve(everything);
  await visit('/admin/users');
  expect(await screen.findByText('No permission')).toBeTruthy();
  expect(screen.queryByText('Operations')).toBeNull();
  expect(sent.some((s) => s.path.startsWith('/admin'))).toBe(false);
});

test('staff see what they hold a permission for and nothing else', async () => {
  serve({ ...everything, 'GET /me': { ...me, staff: true, permissions: ['account.read'] } });
  await visit('/admin/users');
  expect(await screen.findByText('Operations')).toBeTruthy();
  expect(screen.queryByText('Audit log')).toBeNull();
});

test('staff without second factor get no further than turning it on', async () => {
  serve({
    ...everything,
    'GET /me': { ...me, staff: true, enrol_totp: true },
    'GET /login-sessions': list(),
    'GET /me/contact': { email: 'lin@example.com' },
    'GET /me/login-log': list(),
  });
  await visit('/vpn-gateways');
  expect(
    await screen.findByText('Turn on the second factor first; nothing else is open until then.'),
  ).toBeTruthy();
});

test('a sensitive act asks for a proof and then goes on', async () => {
  let proved = false;
  const sent = serve({
    ...everything,
    'GET /login-sessions': list(),
    'GET /me/login-log': list(),
    'POST /me/totp': () =>
      proved
        ? { secret: 'ABC', url: 'otpauth://totp/x?secret=ABC' }
        : new Refused(403, 'account.step_up_required'),
    'POST /me/step-up': () => {
      proved = true;
      return undefined;
    },
  });
  await visit('/security');
  fireEvent.click(await screen.findByRole('button', { name: 'Turn it on' }));
  const dialog = within(await screen.findByRole('dialog'));
  fireEvent.change(dialog.getByLabelText('Current password'), { target: { value: 'correct horse battery' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Confirm' }));
  expect(await screen.findByText('ABC')).toBeTruthy();
  expect(sent.filter((s) => s.path === '/me/totp').length).toBe(2);
});

test('creating a client chooses the server, and tells the two things its user needs', async () => {
  const sent = serve({
    ...everything,
    'GET /ssl-servers': list({
      id: 'sslsrv-1',
      name: 'Remote work',
      gateway: 'g',
      local_subnets: [],
      server_names: [],
    }),
    'POST /ssl-clients': { id: 'sslcli-1', name: 'zhang' },
    'POST /ssl-clients/sslcli-1/secret': {
      user_name: 'zhang',
      password: 'x7Kq',
      until: '2026-12-01T00:00:00Z',
    },
  });
  await visit('/ssl-clients?create=1');
  const dialog = within(await screen.findByRole('dialog'));
  await dialog.findByText('Remote work');
  fireEvent.change(dialog.getByLabelText('Sign-in name'), { target: { value: ' zhang ' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Create an SSL client' }));
  expect(await screen.findByText('Client zhang is ready')).toBeTruthy();
  const post = sent.find((s) => s.method === 'POST' && s.path === '/ssl-clients');
  expect(post?.body).toEqual({ server: 'sslsrv-1', name: 'zhang' });
  expect(post?.key).toMatch(/^[0-9a-f]{32}$/);
  const bundle = screen.getByText('Download the bundle').closest('a');
  expect(bundle?.getAttribute('href')).toBe('/api/v1/ssl-clients/sslcli-1/bundle');
  fireEvent.click(screen.getByRole('button', { name: 'Show password and token' }));
  expect(await screen.findByText('x7Kq')).toBeTruthy();
});

test('the addresses of a client are its own to fix, and networks behind it are named', async () => {
  const client = {
    ...{ id: 'sslcli-1', server: 'sslsrv-1', gateway: 'g', name: 'router', state: 'enabled', version: 4 },
    ...{
      fixed_ip: '',
      fixed_ip6: '',
      routes: [],
      serial: 'AB',
      certificate_pem: '',
      up_kbps: 0,
      down_kbps: 0,
    },
    ...{ not_after: '2029-01-01T00:00:00Z', created_at: '2026-01-01T00:00:00Z', two_factor: false },
  };
  const sent = serve({
    ...everything,
    'GET /ssl-clients/sslcli-1': client,
    'GET /ssl-servers/sslsrv-1': {
      ...{ id: 'sslsrv-1', name: 'Remote work', pool: '10.9.0.0/24', pool6: 'fd00:9::/64' },
      ...{ server_names: [], local_subnets: [], groups: [] },
    },
    'GET /vpn-gateways/g': { id: 'g', name: 'gw', addresses: [] },
    'PATCH /ssl-clients/sslcli-1': client,
  });
  await visit('/ssl-clients/sslcli-1');
  fireEvent.click(await screen.findByRole('button', { name: 'Addresses and networks' }));
  const dialog = within(await screen.findByRole('dialog'));
  const six = await dialog.findByLabelText('Fixed IPv6 address');
  fireEvent.change(six, { target: { value: 'nonsense' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  expect(await dialog.findByText('Not an address of this kind')).toBeTruthy();
  fireEvent.change(six, { target: { value: 'fd00:9::7' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(sent.some((s) => s.method === 'PATCH')).toBe(true));
  const patch = sent.find((s) => s.method === 'PATCH');
  expect(patch?.body).toEqual({ fixed_ip: '', fixed_ip6: 'fd00:9::7', routes: [] });
  expect(patch?.match).toBe('"4"');
});

test('a gateway is changed by what was seen of it, and a faster change is not overwritten', async () => {
  const one = { id: 'g', name: 'mine', region: 'r', network: 'vpc-1', local_subnets: [], version: 3 };
  let now: object = one;
  const sent = serve({
    ...everything,
    'GET /networks': list(
      { id: 'vpc-1', name: 'First', region: 'r', prefixes: ['10.77.0.0/16'] },
      { id: 'vpc-2', name: 'Second', region: 'elsewhere', prefixes: [] },
    ),
    'GET /vpn-gateways/g': () => now,
    'PATCH /vpn-gateways/g': () => {
      now = { ...one, name: 'theirs', version: 4 };
      return new Refused(412, 'api.precondition_failed');
    },
  });
  await visit('/vpn-gateways/g');
  expect(await screen.findByText('All of the private network')).toBeTruthy();
  fireEvent.click(await screen.findByRole('button', { name: 'Edit' }));
  const dialog = within(await screen.findByRole('dialog'));
  const subnets = await dialog.findByLabelText('Subnets');
  fireEvent.change(subnets, { target: { value: '10.77.1.0/33,' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  expect(
    await dialog.findByText(/10\.77\.1\.0\/33/, { selector: '.ant-form-item-explain-error' }),
  ).toBeTruthy();
  fireEvent.keyDown(subnets, { key: 'Backspace', keyCode: 8 });
  fireEvent.change(subnets, { target: { value: '10.77.1.0/24,' } });
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  expect(await dialog.findByText(/Close this and open it again/)).toBeTruthy();
  await screen.findByRole('heading', { name: 'theirs' });
  fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
  const patches = () => sent.filter((s) => s.method === 'PATCH');
  await waitFor(() => expect(patches().map((s) => s.match)).toEqual(['"3"', '"3"']));
  expect(patches()[0]?.body).toEqual({
    name: 'mine',
    description: '',
    network: 'vpc-1',
    local_subnets: ['10.77.1.0/24'],
  });
});

test('who asked to be kept signed in comes back without a password', async () => {
  let resumedTimes = 0;
  serve({
    ...everything,
    'GET /me': () => (resumedTimes > 0 ? me : anonymous),
    'POST /login-sessions/resume': () => {
      resumedTimes++;
      return { id: 'ses_2' };
    },
  });
  await visit('/orders');
  expect(await screen.findByText('No order yet')).toBeTruthy();
  expect(resumedTimes).toBe(1);
});

test('a child whose guardian left makes a code for another one', async () => {
  const sent = serve({
    ...everything,
    'GET /me': { ...me, age: { age_group: '≤14', needs: 'age.guardian_left' } },
    'GET /age-groups': list({ age_group: '≤14', rule: 'guardian' }),
    'POST /me/guardian-code': { code: 'abcd1234efgh5678', expires_at: '2026-11-30T08:00:00Z' },
  });
  await visit('/buy');
  expect(await screen.findByText('Another guardian has to consent')).toBeTruthy();
  fireEvent.click(await screen.findByRole('button', { name: 'Make a code' }));
  expect(await screen.findByText('abcd1234efgh5678')).toBeTruthy();
  expect(sent.some((s) => s.path === '/me/guardian-code')).toBe(true);
});

test('where a guardian consents on paper there is no code', async () => {
  serve({
    ...everything,
    'GET /me': { ...me, age: { age_group: '16-17', needs: 'age.guardian_left' } },
    'GET /age-groups': list({ age_group: '16-17', rule: 'written' }),
  });
  await visit('/buy');
  expect(await screen.findByText(/sends it to the privacy contact/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Make a code' })).toBeNull();
});
