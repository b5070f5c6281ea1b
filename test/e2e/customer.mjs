// What a customer does in the console, one function per errand, by the words on the page.

import { expect } from './browser.mjs';
import { base, profile } from './environment.mjs';
import { mailed } from './mailbox.mjs';
import { codeAt } from './totp.mjs';
import { until } from './until.mjs';
import { like, t } from './words.mjs';

const button = (page, key) => page.getByRole('button', { name: t(key), exact: true });

/** Ticks the boxes of the consent acts in sight, once all are there. They are never ticked beforehand. */
async function agree(scope) {
  await scope.getByRole('checkbox').first().waitFor();
  await until('the notices', async () => (await scope.locator('.ant-skeleton').count()) === 0);
  for (const box of await scope.getByRole('checkbox').all()) {
    expect(!(await box.isChecked()), 'a box of consent was ticked beforehand');
    await box.check();
  }
}

export async function register(page, person) {
  await page.goto('/register');
  await page.getByLabel(t('field.user_name')).fill(person.name);
  await page.getByLabel(t('field.email')).fill(person.email);
  await page.getByLabel(t('field.password'), { exact: true }).fill(person.password);
  expect(await button(page, 'register.submit').isDisabled(), 'registering without consent is possible');
  await agree(page);
  await button(page, 'register.submit').click();
  await page.getByText(t('register.done_title')).waitFor();
}

/** Reads the policy in a tab of its own, as the link of the consent act opens it. */
export async function readPolicy(page) {
  await page.goto('/register');
  const [policy] = await Promise.all([
    page.waitForEvent('popup'),
    page.locator('main a[href^="/policies/"][target=_blank], form a[href^="/policies/"][target=_blank]').first().click(),
  ]);
  await policy.getByText(t('policy.hash')).waitFor();
  await policy.close();
}

export async function signIn(page, person) {
  await page.goto('/login');
  await page.getByLabel(t('field.user_name')).fill(person.name);
  await page.getByLabel(t('field.password'), { exact: true }).fill(person.password);
  await button(page, 'login.submit').click();
  await page.getByRole('button', { name: t('frame.account') }).waitFor();
}

export async function verifyMail(page, person) {
  const link = await mailed(person.email, /(https:\/\/\S*\/verify-email[^\s"<>]*)/);
  expect(link.startsWith(base), `the mail's link ${link.split('#')[0]} leads elsewhere`);
  await page.goto(link);
  await button(page, 'verify.confirm').click();
  await page.getByText(t('verify.done'), { exact: true }).waitFor();
}

export async function verifyIdentity(page, person) {
  await page.goto('/real-name');
  await page.getByLabel(t('realname.name'), { exact: true }).fill(person.realName);
  await page.getByLabel(t('realname.number')).fill(person.idNumber);
  await agree(page.locator('main'));
  await button(page, 'realname.submit').click();
  await page.getByText(t('state.realname.verified'), { exact: true }).first().waitFor();
  const shown = await page.locator('main').innerText();
  expect(!shown.includes(person.idNumber), 'the identity number is shown in full');
}

/** Orders a gateway of 200 Mbps, else with the sensible defaults, and returns the order's address. */
export async function order(page, gateway) {
  await page.goto('/buy');
  const region = profile === 'mainland' ? t('buy.identity_short') : t('buy.no_identity');
  await page.getByRole('radio').filter({ hasText: region }).first().click();
  await page.getByRole('radio').filter({ hasText: t('option.ssl_bandwidth_value', { value: '200' }) }).click();
  await button(page, 'common.next').click();
  await page.getByLabel(t('gateway.name'), { exact: true }).fill(gateway);
  await button(page, 'buy.place').click();
  await page.waitForURL(/\/orders\/ord_/);
  return page.url();
}

/** Pays at the cashier, which is another site, and comes back. */
export async function pay(page, orderURL) {
  await page.goto(orderURL);
  if (profile === 'hongkong') await agree(page.locator('main')); // the order goes abroad to be paid
  await page.getByRole('button', { name: like('pay.go') }).click();
  const consent = button(page, 'consent.accept');
  const cashier = page.locator('#pay'); // the simulated cashier's own page
  await consent.or(cashier).first().waitFor();
  if (await consent.isVisible()) {
    await agree(page.locator('main'));
    await consent.click();
  }
  await cashier.click();
  await page.waitForURL((url) => url.href.startsWith(base));
  await page.goto(orderURL);
  await page.getByText(t('order.delivered'), { exact: true }).waitFor({ timeout: 60_000 });
}

/** Creates an SSL server with the sensible defaults and returns its address. */
export async function createServer(page) {
  await page.goto('/ssl-servers/new');
  await page.getByLabel(t('server.gateway')).waitFor();
  await button(page, 'server.create').click();
  await page.waitForURL(/\/ssl-servers\/(?!new)/);
  await page.getByText(t('state.server.active'), { exact: true }).first().waitFor({ timeout: 60_000 });
  return page.url();
}

/** Creates an SSL client; returns its page and what is told once: name, password, code seed. */
export async function createClient(page, serverURL, name) {
  await page.goto(`/ssl-clients?create=1&server=${serverURL.split('/').at(-1)}`);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(t('client.name')).fill(name);
  await dialog.getByRole('button', { name: t('client.create'), exact: true }).click();
  await dialog.getByText(t('client.created', { name })).waitFor();
  await dialog.getByRole('button', { name: t('client.show_secret') }).click();
  const secret = page.getByRole('dialog').filter({ hasText: t('secret.title') });
  const fact = (key) => secret.locator('dt', { hasText: t(key) }).locator('+ dd .mono').getAttribute('title');
  const told = { name, password: await fact('field.password'), seed: await fact('secret.totp') };
  await secret.getByRole('button', { name: t('secret.done') }).click();
  await dialog.getByRole('link', { name: t('client.how_to_connect') }).click();
  await page.waitForURL(/\/ssl-clients\/sslcli/);
  return { ...told, url: page.url() };
}

/** Downloads a client's bundle as the button does, and returns where it lies. */
export async function downloadBundle(page, clientURL) {
  await page.goto(clientURL);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: t('client.download_bundle') }).first().click(),
  ]);
  return download.path();
}

/** The row of a live session, as the page shows it now. */
export async function liveSession(page, clientName) {
  await page.goto('/vpn-sessions');
  const row = page.getByRole('row').filter({ hasText: clientName });
  await row.waitFor();
  return row;
}

/** Presses "disconnect" on a session's row and says when. */
export async function disconnect(page, row) {
  await row.getByRole('button', { name: t('session.disconnect') }).click();
  await page.getByRole('dialog').getByRole('button', { name: t('session.disconnect'), exact: true }).click();
  return Date.now();
}

/** Turns the second factor on, as staff must before they may do anything. */
export async function enrolSecondFactor(page) {
  await page.goto('/security');
  await button(page, 'totp.start').click();
  const seed = await page.locator('p').filter({ hasText: t('totp.key') }).locator('.mono').getAttribute('title');
  await page.getByLabel(t('totp.code')).fill(codeAt(seed, Date.now()));
  await button(page, 'totp.confirm').click();
  await page.getByText(t('totp.done')).waitFor();
}
