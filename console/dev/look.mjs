// Takes pictures of pages against the stand-in API, and tells what broke the content security policy
// or axe's WCAG 2.2 AA rules: node dev/look.mjs OUT [scenario] [page,...] [variant,...]

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { start } from './mock.mjs';
import { id, refunds } from './data.mjs';

const pages = {
  login: '/login', register: '/register', reset: '/password-reset', verify: '/verify-email?token=x', policies: '/policies', cookies: '/cookies', downloads: '/downloads',
  policy: '/policies/platform', trust: '/trust', overview: '/', realname: '/real-name', buy: '/buy', orders: '/orders', pay: `/orders/${id('ord_', 0)}`,
  progress: `/orders/${id('ord_', 1)}`, done: `/orders/${id('ord_', 2)}`, gateways: '/vpn-gateways', gateway: `/vpn-gateways/${id('vpngw-', 0)}`,
  servers: '/ssl-servers', servernew: '/ssl-servers/new', server: `/ssl-servers/${id('sslsrv-', 0)}`, clients: '/ssl-clients',
  clientnew: '/ssl-clients?create=1', client: `/ssl-clients/${id('sslcli-', 0)}`, devices: `/ssl-clients/${id('sslcli-', 0)}?tab=devices`, sessions: '/vpn-sessions', certificates: '/certificates', certnew: '/certificates?upload=1', security: '/security', phoneadd: '/security', told: '/notice-settings',
  invoices: '/invoices', invoice: `/invoices/${id('inv_', 1)}`, creditnote: `/invoices/${id('crn_', 2)}`, bills: '/bills', admininvoices: '/admin/invoices', admininvoice: `/admin/invoices/${id('inv_', 1)}`,
  tickets: '/tickets', ticketnew: '/tickets?create=1', ticket: `/tickets/${id('tkt_', 0)}`, ticketwaits: `/tickets/${id('tkt_', 3)}`, ticketclosed: `/tickets/${id('tkt_', 6)}`, admintickets: '/admin/tickets', adminticket: `/admin/tickets/${id('tkt_', 0)}`,
  wallet: '/wallet', refundoffer: `/orders/${id('ord_', 8)}`, refundask: `/orders/${id('ord_', 8)}`, refundfailed: `/orders/${id('ord_', 4)}`, refunddone: `/orders/${id('ord_', 5)}`, refundreview: `/orders/${id('ord_', 14)}`, refundway: `/orders/${id('ord_', 20)}`, refunds: '/admin/refunds', refund: `/admin/refunds/${refunds(1)[0].number}`, refundstuck: `/admin/refunds/${refunds(2)[1].number}`, refundhand: `/admin/refunds/${refunds(3)[2].number}`, refundsettle: `/admin/refunds/${refunds(3)[2].number}`, refunddecline: `/admin/refunds/${refunds(1)[0].number}`, refundsecond: `/admin/refunds/${refunds(8)[7].number}`, transfers: '/admin/transfers', suspense: '/admin/suspense', reconciliation: '/admin/reconciliation', difference: '/admin/reconciliation', books: '/admin/books',
  mydata: '/my-data', users: '/admin/users', adminorders: '/admin/orders', payments: '/admin/payments', nodes: '/admin/gateway-nodes',
  adminpolicies: '/admin/policies', audit: '/admin/audit-log', retention: '/admin/retention', erasure: `/erasures/${id('ers_', 0)}`, erasures: '/admin/erasures', incidents: '/admin/incidents', incident: `/admin/incidents/${id('inc_', 0)}`, myincidents: '/my-data?tab=incidents', legal: '/admin/legal-orders', requests: '/my-data?tab=requests', rights: '/admin/rights', papers: '/admin/agreements', training: '/admin/training', quotas: '/quotas', minors: '/admin/minors', adminquotas: '/admin/quotas', adminservices: '/admin/services', adminservice: `/admin/services/${id('svc_', 3)}`, serviceterms: '/admin/service-terms', identity: '/admin/real-name', clauses: '/admin/clauses', adminmap: '/admin/data-map', datamap: '/data-map', successions: '/admin/successions', consents: '/my-data?tab=consents', disclosures: '/my-data?tab=disclosures', reads: '/my-data?tab=reads', staff: '/admin/staff', mycorrections: '/my-data?tab=corrections', absent: '/nowhere', channels: '/admin/intake', ask: '/ask#token=x', assistant: '/assistant', vpnuser: '/vpn-user', clientreset: `/ssl-clients/${id('sslcli-', 0)}`, publish: '/admin/policies?document=terms', refused: '/admin/policies?document=platform', guardianleft: '/buy',
}; // prettier-ignore

/** Pages that are looked at after something was done on them. */
const acts = {
  async clientreset(page) {
    await page
      .locator('button')
      .filter({ hasText: /重置密码|重设密码|Reset the password/ })
      .first()
      .click();
  },
  async refundask(page) {
    await page
      .locator('button')
      .filter({ hasText: /^申请退款|^Ask for a refund/ })
      .click();
  },
  async refundsettle(page) {
    await page.locator('main button.ant-btn-primary').last().click();
  },
  async refunddecline(page) {
    await page.locator('main button.ant-btn-dangerous').last().click();
  },
  async difference(page) {
    await page.locator('main button.ant-btn-link').nth(1).click();
  },
  async assistant(page) {
    await page.locator('textarea').first().fill('怎样更正我的邮箱？');
    await page.locator('button.ant-btn-primary').last().click();
  },
  async publish(page) {
    await page.locator('button.ant-btn-primary').last().click();
  },
  async phoneadd(page) {
    const part = page.locator('section[aria-label="手机号码"], section[aria-label="Telephone number"]');
    await part.locator('button').first().click();
  },
  async guardianleft(page) {
    await page.locator('button.ant-btn-primary').last().click();
  },
};

const variants = {
  'zh-light-1440': ['zh-CN', 'light', 1440], 'en-light-1440': ['en', 'light', 1440], 'zh-dark-1440': ['zh-CN', 'dark', 1440],
  'en-dark-1440': ['en', 'dark', 1440], 'zh-light-390': ['zh-CN', 'light', 390], 'en-light-390': ['en', 'light', 390],
  'zh-dark-390': ['zh-CN', 'dark', 390], 'en-dark-390': ['en', 'dark', 390],
}; // prettier-ignore

const [out = 'pictures', scenario = 'many', which = '', only = ''] = process.argv.slice(2);
const port = Number(process.env.PORT ?? 8455);
await mkdir(out, { recursive: true });
const stop = await start(scenario, port);
const profile = await mkdtemp(join(tmpdir(), 'console-look-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  for (const [variant, [language, theme, width]] of Object.entries(variants)) {
    if (only && !only.split(',').includes(variant)) continue;
    await context.addCookies([
      { name: 'prefs', value: `lang-${language}.theme-${theme}`, url: `http://localhost:${port}` },
    ]);
    for (const [name, path] of Object.entries(pages)) {
      if (which && !which.split(',').includes(name)) continue;
      await look(`${name}-${scenario}-${variant}`, path, width);
    }
  }
} finally {
  await context.close();
  stop();
  await rm(profile, { recursive: true, force: true });
}

async function look(name, path, width) {
  const page = await context.newPage();
  page.on('console', (m) => {
    const text = m.text();
    if (m.type() === 'error' && !/status of (401|403|404|503)/.test(text))
      console.log(`${name}: ${text.slice(0, 300)}`);
  });
  page.on('pageerror', (e) => console.log(`${name}: ${e.message}`));
  await page.setViewportSize({ width, height: width > 800 ? 900 : 844 });
  await page.goto(`http://localhost:${port}${path}`, { waitUntil: 'load' });
  await page
    .waitForFunction(() => !document.querySelector('.ant-skeleton'), undefined, { timeout: 6000 })
    .catch(() => undefined);
  const act = acts[name.split('-')[0]];
  if (act) await act(page).catch((e) => console.log(`${name}: ${e.message.split('\n')[0]}`));
  await page.waitForTimeout(700);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (overflow > 0) console.log(`${name}: ${overflow} px wider than the window`);
  if (process.env.AXE) {
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
      .analyze();
    for (const v of violations)
      console.log(
        `${name}: axe ${v.id}: ${v.nodes.length}x ${v.nodes[0].target} ${v.nodes[0].any[0]?.message ?? ''}`,
      );
  }
  await page.close();
}
