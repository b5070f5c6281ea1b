// A stand-in for the API, to look at pages while working on them: `npm run build && npm run mock`,
// then http://localhost:8444. It is not shipped and no test depends on it. The scenario is one of
// none, one, many, error, anonymous, renewal, customer, customercode (who waits for a code), customernone (without a number).

import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as data from './data.mjs';

const dist = fileURLToPath(new URL('../../internal/web/console/dist', import.meta.url));
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

class Refusal extends Error {
  constructor(status, code, title, params) {
    super(code);
    Object.assign(this, { status, code, title, params });
  }
}

const counts = {
  none: 0,
  one: 1,
  many: 27,
  error: 0,
  anonymous: 0,
  renewal: 3,
  customer: 3,
  customercode: 1,
  customernone: 1,
};

function routes(scenario, n) {
  const items = (list) => ({ items: list, next_cursor: '' });
  const one = (list, key, wanted) =>
    list.find((x) => x[key] === wanted) ?? list[0] ?? refuse(404, 'x.not_found', '');
  const some = Math.max(n, 1);
  return {
    'GET /me': () =>
      scenario === 'anonymous'
        ? refuse(401, 'api.unauthenticated', '请先登录。')
        : {
            ...data.me,
            email_verified: scenario !== 'none',
            consents_due: scenario === 'renewal' ? ['platform_policy'] : [],
            ...(scenario.startsWith('customer') ? { staff: false, permissions: [] } : {}),
            ...(scenario === 'left' ? { age: { age_group: '≤14', needs: 'age.guardian_left' } } : {}),
          },
    'POST /login-sessions': (body) =>
      body.code ? {} : refuse(401, 'account.second_factor_required', '需要动态验证码'),
    'POST /accounts': () => ({}),
    'GET /login-sessions': () => items(data.loginSessions(3)),
    'GET /me/optional-contact': () => ({
      phone_offered: scenario !== 'none',
      phone: scenario === 'customer' ? '+8613800138000' : '',
      ...(scenario === 'customer' ? { phone_confirmed_at: '2026-11-29T08:00:00Z' } : {}),
      phone_waiting: scenario === 'customercode',
      qq: '10001',
      country: '',
      province: '',
      city: '',
    }),
    'GET /me/notice-preferences': () => data.noticePreferences,
    'GET /me/contact': () => ({ email: 'lin.wanqing@example.com' }),
    'GET /me/login-log': () => items(data.loginLog(n)),
    'POST /me/totp': () => ({ secret: data.secret.totp_secret, url: data.secret.totp_uri }),
    'POST /me/totp/confirm': () => ({ recovery_codes: Array.from({ length: 10 }, (_, i) => `k7v3-m2q${i}`) }),
    'GET /notices': () => items(data.notices(n)),
    'GET /trust': () => data.trust(n),
    'GET /policies': () => items(data.policies),
    'GET /cookies': () => data.cookies,
    'GET /downloads': () => items(data.downloads(n)),
    'DELETE /login-sessions/remember': () => ({}),
    'GET /policies/:id': (_, id) => data.policy(id),
    'GET /consent-prompts/:id': (_, id) => data.prompt(id),
    'GET /consents': () => items(data.consents(n)),
    'GET /disclosures': () => items(data.disclosures(n)),
    'GET /reads': () => items(data.reads(n)),
    'GET /real-name-verifications': () => items(scenario === 'none' ? [] : [data.verification]),
    'GET /regions': () => items(data.regions),
    'GET /products': () => items(data.products),
    'POST /quotes': (body) => data.quote(body),
    'POST /orders': () => data.orders(1)[0],
    'GET /orders': () => items(data.orders(n)),
    'GET /orders/:id': (_, id) => one(data.orders(27), 'id', id),
    'GET /orders/:id/refunds': (_, id) => items(data.orderRefunds(id)),
    'GET /orders/:id/refund-offer': (_, id) =>
      data.orders(27).findIndex((o) => o.id === id) === 1
        ? refuse(409, 'payment.refund_not_offered', '此订单目前没有可退的金额。')
        : data.refundOffer(),
    'GET /tickets': () => items(data.tickets(n)),
    'POST /tickets': () => data.tickets(1)[0],
    'GET /tickets/:id': (_, ticket) => data.ticketThread(ticket),
    'POST /tickets/:id/messages': () => data.tickets(1)[0],
    'GET /admin/tickets': () => items(data.queuedTickets(n)),
    'GET /admin/tickets/:id': (_, ticket) => data.staffTicket(ticket),
    'GET /admin/canned-replies': () => items(data.canned(n)),
    'GET /admin/refunds': () => items(data.refunds(n)),
    'GET /admin/refunds/:id': (_, number) => data.refundDetail(number),
    'GET /orders/:id/payments': () => items(data.payments(1)),
    'POST /orders/:id/payments': () => ({
      payment: data.payments(1)[0],
      instruction: { kind: 'qr', qr: 'weixin://wxpay/bizpayurl?pr=x' },
    }),
    'GET /payment-methods': () => items(data.methods),
    'GET /invoices': (_, __, query) =>
      items(data.invoices(n).filter((d) => !query.get('order') || d.order === query.get('order'))),
    'GET /invoices/:id': (_, id) => data.invoiceDetail(id),
    'GET /admin/invoices': () => items(data.invoices(n)),
    'GET /admin/invoices/:id': (_, id) => data.invoiceDetail(id),
    'GET /bills': () => items(data.bills(n)),
    'GET /bills/month': () => data.bill(),
    'GET /wallet': () => data.wallet(n),
    'GET /wallet/top-ups': () => items([]),
    'GET /admin/awaited-transfers': () => items(data.awaited(n)),
    'GET /admin/bank-transfers': () => items(data.transfers(n)),
    'GET /admin/grants': () => items(data.grants(n)),
    'GET /admin/books/trial-balance': () => items(data.trial(n)),
    'GET /admin/books/days': () => items(data.bookDays(n, new Date().toISOString().slice(0, 10))),
    'GET /networks': () => items(data.networks),
    'GET /vpn-gateways': () => items(data.gateways(n)),
    'GET /vpn-gateways/:id': (_, id) => one(data.gateways(some), 'id', id),
    'GET /vpn-gateways/:id/traffic': () => data.traffic(),
    'GET /ssl-servers': () => items(data.servers(n)),
    'GET /ssl-servers/:id': (_, id) => one(data.servers(some), 'id', id),
    'GET /ssl-servers/:id/blocked-certificates': () => ({
      items: [
        {
          id: 'cblk-aaaaaaaaaaaaaaaa',
          issuer: 'CN=Example Root',
          serial: '7F21',
          created_at: data.secret.until,
        },
      ],
    }),
    'GET /ssl-clients': () => items(data.clients(n)),
    'POST /ssl-clients': () => data.clients(1)[0],
    'GET /ssl-clients/:id': (_, id) => one(data.clients(some), 'id', id),
    'GET /ssl-clients/:id/usage': () => ({
      day_bytes: 2e9,
      day_ends_at: '2026-11-28T16:00:00Z',
      month_bytes: 12.3e9,
      month_ends_at: '2026-11-30T16:00:00Z',
    }),
    'GET /certificates': () => items(data.certificates(n)),
    'GET /certificates/:id': (_, id) => one(data.certificates(some), 'id', id),
    'GET /ssl-clients/:id/locks': () => ({
      items: [{ source: '198.51.100.7', until: data.secret.until, banned_until: data.secret.until }],
    }),
    'GET /ssl-clients/:id/connect-link': () => ({
      import_link: `skyconnect://import#${'Ab3_'.repeat(500)}`,
      signer_key: '4f2a9c1e7b80d35566aa10fe92c4b7d8e1f00321',
      fits_qr: true,
    }),
    'GET /ssl-clients/:id/devices': () => items(data.devices(n)),
    'POST /ssl-clients/:id/recovery-codes': () => ({
      recovery_codes: Array.from({ length: 10 }, (_, i) => `k7qm-2xw${i}-nd4p-6hta`),
    }),
    'POST /ssl-clients/:id/unlock': () => ({}),
    'POST /ssl-clients/:id/secret': () => data.secret,
    'GET /vpn-sessions': () => items(data.sessions(n)),
    'GET /ssl-servers/:id/sessions': () => items(data.sessions(n)),
    'GET /quotas': () => items(data.quotas.slice(0, n)),
    'GET /limits': () => items(data.limits),
    'GET /privacy/datamap': () => data.dataMap(),
    'GET /admin/services': () => items(data.services(n)),
    'GET /admin/services/:id': (_, id) => one(data.services(some), 'id', id),
    'GET /admin/service-terms': () => data.serviceTerms,
    'GET /admin/quota-requests': () => items(data.quotaRequests(n)),
    'GET /admin/export-counters': () => items(data.exportCounters(n)),
    'GET /admin/real-name-verifications': () => items(data.identities(n)),
    'POST /admin/real-name-verifications/:id/reveal': () => ({
      name: '林婉清',
      number: '11010519491231002X',
    }),
    'GET /admin/minors': () => data.minors(n),
    'GET /admin/successions': () => items(data.successions(n)),
    'GET /admin/successions/:id/statement': () => data.statement,
    'GET /admin/receipts-in-suspense': () => items(data.suspense(n)),
    'GET /admin/suspense-acts': () => items(data.suspenseActs(n)),
    'GET /admin/differences': () => items(data.differences(n)),
    'GET /admin/differences/:id': () => data.difference(n),
    'GET /admin/provider-bills': () => items(data.providerBills(n)),
    'GET /age-groups': () =>
      items([
        { age_group: '≤14', rule: 'guardian' },
        { age_group: '15', rule: 'screen' },
        { age_group: '16-17', rule: 'screen' },
      ]),
    'GET /children': () => items(data.children(n)),
    'POST /me/guardian-code': () => ({
      code: 'k7qm2xw4nd4p6hta',
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    }),
    'GET /me/access-log': () => items([]),
    'GET /admin/users': () => items(data.users(n)),
    'GET /admin/orders': () => items(data.orders(n)),
    'GET /admin/payments': () => items(data.payments(n)),
    'GET /admin/gateway-nodes': () => items(data.nodes(n)),
    'GET /admin/policies': () => items(data.staffPolicies(n)),
    'GET /admin/policies/:id/draft': (_, document) => data.policyDraft(document, scenario),
    'GET /me/incident-notices': () => items(data.incidentNotices(n)),
    'GET /admin/incidents': () => items(data.incidents(n)),
    'GET /admin/incidents/:id': () => data.incidentFile(),
    'GET /admin/incidents/:id/tasks': () => items(data.incidentTasks(n)),
    'GET /account-closure': () => data.closure,
    'POST /account-closure': () => data.erasure(),
    'GET /erasures/:id': () => data.erasure(scenario === 'many'),
    'GET /admin/erasures': () => items(data.erasures(n)),
    'GET /admin/erasures/:id': () => data.erasures(1)[0],
    'GET /me/holds': () => items(data.holds(n).filter((h) => !h.ended_at)),
    'GET /admin/legal-orders': () => items(data.legalOrders(n)),
    'GET /admin/holds': () => items(data.holds(n)),
    'GET /admin/retention-runs': () => items(data.runs(n)),
    'GET /vpn-user/profile': () =>
      scenario === 'anonymous' ? refuse(401, 'api.unauthenticated', '请先登录。') : data.vpnUser,
    'GET /vpn-user/sessions': () => items(data.sessions(n)),
    'GET /vpn-user/devices': () => items([]),
    'GET /vpn-user/acts': () => items(data.vpnActs),
    'GET /vpn-user/reads': () => items(data.vpnReads),
    'GET /vpn-user/data': () => items(data.ownData(n)),
    'GET /vpn-user/data/:id': () => data.sheet,
    'GET /vpn-user/requests': () => items(data.requests(n)),
    'GET /vpn-user/requests/:id': (_, id) => data.request(id),
    'GET /vpn-user/incident-notices': () => items([]),
    'GET /me/data': () => items(data.ownData(n)),
    'GET /me/data/:id': () => data.sheet,
    'GET /me/proof-pack': () => ({ state: 'making', percent: 42, size: 0, sha256: '' }),
    'GET /me/arrangement': () => ({
      words: '请把账户余额退还给我的妹妹，其余全部删除。',
      at: data.secret.until,
    }),
    'GET /data-subject-requests': () => items(data.requests(n)),
    'GET /data-subject-requests/:id': (_, id) => data.request(id),
    'POST /data-subject-requests': () => data.requests(1)[0],
    'GET /admin/data-subject-requests': () =>
      items(
        data
          .requests(n)
          .filter((r) => !r.closed_at)
          .toSorted((a, b) => (a.due_at < b.due_at ? -1 : 1)),
      ),
    'GET /admin/data-subject-requests/:id': (_, id) => data.request(id),
    'POST /admin/data-subject-requests/:id/letter-preview': (_, id) => ({
      letter: data.request(data.requests(1)[0].id, id).letter,
    }),
    'GET /admin/retention-classes': () => items(data.classes.slice(0, n)),
    'GET /admin/intake-channels': () => items(data.channels(n)),
    'POST /admin/request-links': () => ({
      url: 'https://console.example.org/ask#token=k7q2m4x9w3r8t5v6b1n0c7d2e9',
      until: data.secret.until,
    }),
    'POST /request-links/open': () => ({ until: data.secret.until }),
    'POST /assistant/questions': () => ({
      answers: [
        {
          topic: 'copy',
          page: '/my-data',
          words: '您的全部信息可以在“我的数据”里查看，也可以索取副本；副本做好后 72 小时内可下载一次。',
        },
      ],
    }),
    'GET /admin/trainings': () => items(data.trainings(n)),
    'GET /admin/staff': () => data.staff(n),
    'GET /admin/read-stops': () => items(data.stops(n)),
    'GET /admin/corrections': () => items(data.correctionTasks(n)),
    'GET /me/corrections': () => items(data.corrections(n)),
    'GET /admin/agreement-needs': () => items(data.needs(n)),
    'GET /admin/agreements': () => items(data.agreements(n)),
    'GET /admin/impact-assessments': () => items(data.assessments(n)),
    'GET /admin/audit-log': () => items(data.audit(n)),
    'GET /admin/audit-log/checkpoint': () => ({
      note: 'skybridge-demo\n1043\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— skybridge-demo Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe',
    }),
    'POST /admin/audit-log/verify': () => ({
      ok: true,
      size: 1043,
      root: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
    }),
  };
}

function refuse(status, code, title, params) {
  throw new Refusal(status, code, title, params);
}

function answer(table, scenario, method, path, body, query) {
  const parts = path.split('/');
  for (const [route, handler] of Object.entries(table)) {
    const [verb, pattern] = route.split(' ');
    const wanted = pattern.split('/');
    if (verb !== method || wanted.length !== parts.length) continue;
    if (!wanted.every((w, i) => w.startsWith(':') || w === parts[i])) continue;
    const open =
      ['/me', '/policies', '/trust', '/cookies', '/downloads', '/regions', '/privacy'].some((p) =>
        path.startsWith(p),
      ) || path.startsWith('/consent-prompts');
    if (scenario === 'error' && !open) refuse(503, 'fleet.no_node', '暂时没有可用的网关节点，请稍后重试。');
    if (scenario === 'renewal' && !open)
      refuse(403, 'consent.renewal_needed', '政策已更新', { purpose: 'platform_policy' });
    return handler(body, parts[wanted.findIndex((w) => w.startsWith(':'))], query);
  }
  if (method !== 'GET') return {};
  return refuse(404, 'api.not_found', '没有这个接口');
}

async function page(res) {
  const nonce = randomBytes(16).toString('base64');
  const html = (await readFile(join(dist, 'index.html'), 'utf8')).replace(
    'name="csp-nonce" content=""',
    `name="csp-nonce" content="${nonce}"`,
  );
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader(
    'Content-Security-Policy',
    `default-src 'self'; style-src 'self' 'nonce-${nonce}'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https:`,
  );
  res.end(html);
}

/** Starts the stand-in and answers with how to close it. */
export async function start(scenario, port) {
  const table = routes(scenario, counts[scenario] ?? 3);
  const server = createServer(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://localhost');
    if (pathname === '/api/v1/events') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write(': hello\n\n');
      return;
    }
    if (pathname.startsWith('/api/v1')) {
      let text = '';
      for await (const chunk of req) text += chunk;
      res.setHeader('Content-Type', 'application/json');
      try {
        res.end(
          JSON.stringify(
            answer(
              table,
              scenario,
              req.method,
              pathname.slice('/api/v1'.length),
              text ? JSON.parse(text) : {},
              searchParams,
            ),
          ),
        );
      } catch (e) {
        res.statusCode = e.status ?? 500;
        res.end(
          JSON.stringify({
            type: 'about:blank',
            status: res.statusCode,
            code: e.code ?? 'internal',
            title: e.title ?? String(e),
            params: e.params,
            request: 'req_0k7v3m2q9x4c8b6t',
          }),
        );
      }
      return;
    }
    if (extname(pathname)) {
      try {
        const content = await readFile(join(dist, pathname));
        res.setHeader('Content-Type', types[extname(pathname)] ?? 'application/octet-stream');
        res.end(content);
        return;
      } catch {
        if (!pathname.startsWith('/policies/')) {
          res.statusCode = 404;
          res.end();
          return;
        }
      }
    }
    await page(res);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return () => {
    server.closeAllConnections();
    server.close();
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [scenario = 'many', port = '8444'] = process.argv.slice(2);
  await start(scenario, Number(port));
  console.log(`http://localhost:${port} (${scenario})`);
}
