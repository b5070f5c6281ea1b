// The whole path as a person would walk it, in a browser, and then stock openconnect with the
// bundle that the console gave. At the end every page is looked at.

import { after, test } from 'node:test';
import { expect, launch, noCookies, prefer, watch } from './browser.mjs';
import { unpack } from './bundle.mjs';
import * as customer from './customer.mjs';
import { auditorPassword, operatorPassword, profile } from './environment.mjs';
import { follow, look, looks } from './looks.mjs';
import { somebody } from './person.mjs';
import { story } from './story.mjs';
import { until } from './until.mjs';
import { Connection, download } from './vpn.mjs';
import { like, t } from './words.mjs';

const context = await launch();
const page = context.pages()[0] ?? (await context.newPage());
context.setDefaultTimeout(30_000);
const complaints = [];
watch(page, complaints);
follow(page);
const size = 100 * 1024 * 1024;

after(() => context.close());

test(`a person buys a VPN and connects (${profile})`, async (walk) => {
  const step = story(walk, page);
  const person = somebody();
  const client = {};
  let orderURL, serverURL, bundle, tunnel, live;

  await step('prefers English', () => prefer(context, 'en', 'light'));
  await step('reads the policy before anything else', () => customer.readPolicy(page));
  await step('registers with consent', () => customer.register(page, person));
  await step('signs in', () => customer.signIn(page, person));
  await step('no cookie but prefs outlives the browser', async () => {
    for (const c of await context.cookies()) {
      const registered = { '__Host-session': true, prefs: false }[c.name];
      expect(registered === c.httpOnly && c.secure && c.sameSite === 'Lax', `cookie ${c.name} is not as registered`);
      expect(c.name === 'prefs' || c.expires === -1, `cookie ${c.name} outlives the browser`);
    }
  });
  await step('verifies the e-mail address', () => customer.verifyMail(page, person));
  if (profile === 'mainland') {
    await step('verifies the real name', () => customer.verifyIdentity(page, person));
  }
  await step('orders a VPN gateway', async () => {
    orderURL = await customer.order(page, 'shanghai-office');
  });
  await step('pays and gets it', () => customer.pay(page, orderURL));
  await step('creates an SSL server', async () => {
    serverURL = await customer.createServer(page);
  });
  await step('creates an SSL client', async () => {
    Object.assign(client, await customer.createClient(page, serverURL, 'laptop'));
  });
  await step('downloads the bundle', async () => {
    bundle = await unpack(await customer.downloadBundle(page, client.url));
  });
  await step('connects with stock openconnect', async () => {
    const code = client.seed ? ['--token-mode=totp', `--token-secret=base32:${client.seed}`] : [];
    tunnel = new Connection({ dir: bundle.dir, args: [...code, ...bundle.args] }, [client.password]);
    await tunnel.says(/Configured as/);
    await tunnel.routes();
  });
  after(() => tunnel?.stop());
  await step('DTLS comes up', () => tunnel.says(/Established DTLS connection/));
  await step('downloads 100 MB through the tunnel', async () => {
    const got = await download();
    expect(got === size, `${got} bytes came, want ${size}`);
  });
  await step('sees the session and its bytes in the console', async () => {
    live = await customer.liveSession(page, client.name);
    await until('the bytes of the session', async () => /\b1\d\d(\.\d+)? MB|\b1\d\d(\.\d+)? MiB/.test(await live.innerText()));
  });
  await step('disconnects it within two seconds', async () => {
    const pressed = await customer.disconnect(page, live);
    await Promise.race([tunnel.exited, until('the end of openconnect', () => tunnel.ended, 5)]);
    const took = Date.now() - pressed;
    expect(took <= 2000, `it took ${took} ms`);
  });
  await step('sees what was disclosed and read', async () => {
    await page.goto('/my-data');
    await page.getByRole('heading', { name: t('nav.mydata') }).waitFor();
  });
  await step('every page looks right', () => everyPage(customerPages({ orderURL, serverURL, clientURL: client.url })));
});

test('everything public is readable with cookies blocked', async () => {
  const blocked = await launch(noCookies);
  try {
    const reader = blocked.pages()[0] ?? (await blocked.newPage());
    watch(reader, complaints);
    for (const [path, words] of Object.entries({
      '/policies/platform': t('policy.hash'),
      '/cookies': t('cookies.title'),
      '/login': t('login.submit'),
      '/register': t('register.title'),
    })) {
      await reader.goto(path);
      await reader.getByText(words).first().waitFor();
    }
    // The browser says how it is set, so that the test cannot pass by accident.
    const kept = await reader.evaluate(() => {
      document.cookie = 'prefs=lang-en; Path=/; Secure; SameSite=Lax';
      return document.cookie;
    });
    expect(kept === '' && (await blocked.cookies()).length === 0, 'cookies are not blocked');
  } finally {
    await blocked.close();
  }
});

test('the operator sees it all', async (walk) => {
  const step = story(walk, page);
  await step('signs in as operator', async () => {
    await context.clearCookies();
    await prefer(context, 'en', 'light');
    await customer.signIn(page, { name: 'operator', password: operatorPassword });
  });
  await step('turns the second factor on', () => customer.enrolSecondFactor(page));
  await step('every page looks right', () => everyPage(operatorPages));
  await step('every desk looks right', () => everyDesk());
});

test('the auditor verifies the log', async (walk) => {
  const step = story(walk, page);
  await step('signs in as auditor', async () => {
    await context.clearCookies();
    await prefer(context, 'en', 'light');
    await customer.signIn(page, { name: 'auditor', password: auditorPassword });
  });
  await step('turns the second factor on', () => customer.enrolSecondFactor(page));
  await step('verifies the audit log', async () => {
    await page.goto('/admin/audit-log');
    await page.getByRole('button', { name: t('audit.verify') }).click();
    await page.getByText(like('audit.ok')).waitFor();
  });
  await step('every page looks right', () => everyPage(auditorPages));
  await step('every desk looks right', () => everyDesk());
});

test('the pages complained of nothing', () => {
  expect(complaints.length === 0, complaints.join('\n'));
});

// The desks are tables and forms of the same parts as the pages above: each is looked at once, and
// together they go through all looks. The second profile leaves them out.
async function everyDesk() {
  const wrong = [];
  const me = await page.evaluate(async () => (await fetch('/api/v1/me')).json());
  const all = profile === 'mainland' ? Object.entries(desks).filter(([, [, permission]]) => me.permissions.includes(permission)) : [];
  for (const [i, [name, [path]]] of all.entries()) wrong.push(...(await look(context, page, name, path, looks[i % looks.length])));
  await prefer(context, 'en', 'light');
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(wrong.length === 0, wrong.join('\n'));
}

// The pages are the same in both profiles, but for the words of the policies: the second profile
// is looked at once, in the first look.
async function everyPage(pages) {
  const wrong = [];
  for (const one of profile === 'mainland' ? looks : looks.slice(0, 1)) {
    for (const [name, path] of Object.entries(pages)) wrong.push(...(await look(context, page, name, path, one)));
  }
  await prefer(context, 'en', 'light');
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(wrong.length === 0, wrong.join('\n'));
}

function customerPages({ orderURL, serverURL, clientURL }) {
  const path = (url) => new URL(url).pathname;
  return {
    login: '/login',
    register: '/register',
    'password-reset': '/password-reset',
    policies: '/policies',
    cookies: '/cookies',
    'policy-platform': '/policies/platform',
    'policy-client': '/policies/client',
    overview: '/',
    'real-name': '/real-name',
    buy: '/buy',
    orders: '/orders',
    order: path(orderURL),
    gateways: '/vpn-gateways',
    servers: '/ssl-servers',
    'server-create': '/ssl-servers/new',
    server: path(serverURL),
    clients: '/ssl-clients',
    'client-create': '/ssl-clients?create=1',
    client: path(clientURL),
    certificates: '/certificates',
    sessions: '/vpn-sessions',
    quotas: '/quotas',
    security: '/security',
    'my-data': '/my-data',
    'not-found': '/nothing-here',
  };
}

const operatorPages = {
  'admin-users': '/admin/users',
  'admin-orders': '/admin/orders',
  'admin-payments': '/admin/payments',
  'admin-nodes': '/admin/gateway-nodes',
  'admin-policies': '/admin/policies',
  'admin-staff': '/admin/staff',
};

const auditorPages = {
  'admin-audit': '/admin/audit-log',
  'admin-training': '/admin/training',
};

const desks = {
  'admin-rights': ['/admin/rights', 'privacy.handle'],
  'admin-retention': ['/admin/retention', 'retention.read'],
  'admin-incidents': ['/admin/incidents', 'incident.read'],
  'admin-data-map': ['/admin/data-map', 'audit.read'],
  'admin-clauses': ['/admin/clauses', 'audit.read'],
  'admin-minors': ['/admin/minors', 'minor.handle'],
  'admin-training': ['/admin/training', 'staff.read'],
  'admin-agreements': ['/admin/agreements', 'agreement.read'],
  'admin-legal-orders': ['/admin/legal-orders', 'legal_order.read'],
  'admin-successions': ['/admin/successions', 'succession.read'],
  'admin-erasures': ['/admin/erasures', 'privacy.handle'],
  'admin-refunds': ['/admin/refunds', 'payment.read'],
  'admin-quotas': ['/admin/quotas', 'fleet.read'],
  'admin-real-name': ['/admin/real-name', 'realname.review'],
};
