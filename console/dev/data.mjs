// What the stand-in API answers with: invented, and with the longest names that are realistic.

const t = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
const cny = (amount) => ({ amount, currency: 'CNY' });
export const id = (prefix, n) => `${prefix}0k7v3m2q9x4c8b6t5r1z0y${String(n).padStart(4, '0')}`;

const long = '华东区域总部与研发中心之间的远程办公主网关（含外包团队与夜班值守，2026 年扩容）';

export const me = {
  account: id('acc_', 1),
  user_name: 'lin.wanqing',
  email_verified: true,
  totp: false,
  recovery_left: 0,
  staff: true,
  enrol_totp: false,
  consents_due: [],
  mfa: true,
  step_up_until: t(10),
  locale: 'zh-CN',
  permissions: [
    'account.read',
    'order.read',
    'service.write',
    'payment.read',
    'payment.book',
    'payment.settle',
    'refund.handle',
    'ledger.read',
    'fleet.read',
    'consent.read',
    'consent.publish',
    'audit.read',
    'staff.read',
    'staff.write',
    'read.release',
    'retention.read',
    'realname.correct',
    'retention.hold',
    'agreement.read',
    'agreement.write',
    'legal_order.read',
    'legal_order.enter',
    'legal_order.approve',
    'legal_order.execute',
    'incident.read',
    'incident.handle',
    'ticket.handle',
    'incident.sign',
    'minor.handle',
    'privacy.handle',
    'audit.verify',
    'fleet.write',
    'realname.review',
    'realname.reveal',
    'succession.read',
    'succession.write',
  ],
  age: { age_group: '', needs: '' },
  created_at: t(-90000),
};

export const regions = [
  {
    id: 'cn-east-1',
    name: { 'zh-CN': '华东 1（演示）', en: 'East China 1 (demo)' },
    location: 'CN-mainland',
    requires_real_name: true,
  },
  {
    id: 'hk-1',
    name: { 'zh-CN': '中国香港 1（演示）', en: 'Hong Kong 1 (demo)' },
    location: 'HK',
    requires_real_name: false,
  },
];

const steps = ['5', '10', '20', '50', '100', '200', '500', '1000'];
const offer = (region, base, per) => ({
  region,
  base: cny(base),
  options: [
    {
      id: 'ssl_bandwidth',
      values: steps.map((v) => ({ value: v, monthly: cny((Number(v) * per).toFixed(2)) })),
    },
    {
      id: 'ssl_connections',
      values: steps.map((v) => ({ value: v, monthly: cny((Number(v) * 14).toFixed(2)) })),
    },
  ],
});

export const products = [
  {
    id: 'vpn-gateway',
    name: { 'zh-CN': 'VPN 网关', en: 'VPN gateway' },
    max_cycle: 36,
    offers: [offer('cn-east-1', '99.00', 23), offer('hk-1', '129.00', 30)],
  },
];

const names = ['上海办公室', 'warehouse-berlin-02', long];
const gatewayStates = ['active', 'creating', 'frozen', 'error', 'updating'];

export const gateways = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('vpngw-', i),
    name: names[i % 3] + (i > 2 ? ` ${i}` : ''),
    region: regions[i % 2].id,
    network: 'demo-net',
    state: gatewayStates[i % 5],
    problem: gatewayStates[i % 5] === 'error' ? 'agent.address_in_use' : undefined,
    ssl_bandwidth: 100,
    services: ['ssl'],
    local_subnets: [],
    ssl_connections: 50,
    addresses: ['203.0.113.7', '2001:db8:5::7'],
    created_at: t(-5000 - i * 999),
    updated_at: t(-20),
  }));

export const networks = regions.map((r, i) => ({
  id: i ? 'demo-net-hk' : 'demo-net',
  name: i ? 'demo-hk' : 'demo',
  region: r.id,
  prefixes: i === 0 ? ['10.77.0.0/24', 'fd00:77::/64'] : [`10.${77 + i}.0.0/24`],
}));

export const servers = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('sslsrv-', i),
    gateway: id('vpngw-', 0),
    name: i === 2 ? long.slice(0, 30) : ['远程办公', 'contractors'][i % 2] + (i > 2 ? i : ''),
    local_subnets: i % 2 ? ['10.77.0.0/24', '10.78.0.0/16', '192.168.100.0/24'] : ['10.77.0.0/24'],
    pool: `10.250.${i}.0/24`, pool6: i % 2 ? '' : 'fd3a:8c1e:5b20::/64', default_domains: ['corp.example'], client_bypass: false,
    enable_dns: true, dns: ['10.77.0.53'], two_factor: true, keep_seed: false, tunnel_mode: 'split', split_dns: ['corp.example'],
    exclude_routes: [], mtu: 1400, dpd: 90, mobile_dpd: 1800, keepalive: 300, idle_timeout: 3600, mobile_idle_timeout: 3600, session_timeout: 86400,
    cookie_timeout: 300, rekey_time: 172800, max_sessions_per_client: 1, client_isolation: true, banner: '', tls_min: '1.2', tls_max: '1.3', client_cas: [],
    deny_roaming: i === 1, large_segments: false,
    login_mode: 'password_certificate', groups: i ? [] : [{ name: 'staff', label: '全体员工' }, { name: 'ops', label: 'Operations' }],
    acl_default: 'deny', trusted_networks: [], client_trusted_networks: [], acl_rules: [
      { action: 'allow', protocol: 'tcp', destination: '10.77.0.0/24', ports: '22,8000-8099', comment: '' },
      { action: 'allow', protocol: 'icmp', destination: '', ports: '', comment: '' },
    ], port: 443, udp: true, state: i % 4 === 3 ? 'error' : 'active',
    server_names: [`sslsrv-0k7v3m2q${i}.vpn.example.com`],
    ca_pem: '', pin: 'pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    version: 3, created_at: t(-4000), updated_at: t(-10),
  })); // prettier-ignore

export const clients = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('sslcli-', i),
    server: id('sslsrv-', 0),
    gateway: id('vpngw-', 0),
    description: i % 2 ? '' : '前台平板 · front desk',
    name: ['zhang.laptop', 'night-shift-tablet-with-a-really-long-name-07', 'wang.phone'][i % 3] + (i > 2 ? i : ''),
    up_kbps: 0, down_kbps: 0, fixed_ip: i % 3 === 1 ? '10.250.0.77' : '', fixed_ip6: '', routes: i % 3 === 1 ? ['192.168.5.0/24', 'fd00:5::/64'] : [], two_factor_exempt: false, groups: i ? [] : ['ops'],
    expires_at: i % 5 === 4 ? t(-50) : undefined, max_sessions: 0, daily_quota_bytes: 2e9, monthly_quota_bytes: 3e10, state: i % 4 === 3 ? 'disabled' : 'enabled',
    serial: '4F1D9A0B2C3D4E5F60718293A4B5C6D7', not_after: t(525600), online: i % 2 === 0, sessions: i % 2 ? 0 : 1, two_factor: true, device_approval: true, devices_waiting: i % 3 ? 0 : 2, recovery_left: 8, token_kind: 'totp', secret_until: t(60 * 24 * 7),
    version: 1, created_at: t(-3000 - i), updated_at: t(-5),
  })); // prettier-ignore

export const devices = (n) =>
  Array.from({ length: Math.min(n, 20) }, (_, i) => ({
    id: id('sdev-', i), state: ['waiting', 'waiting', 'approved', 'refused'][i % 4], known_by: ['id', 'platform', 'certificate'][i % 3],
    label: ['apple-ios iPhone15,2', 'linux-64', 'android a-device-whose-maker-gave-it-a-very-long-name-of-many-words', ''][i % 4], created_at: t(-3000 - i), seen_at: t(-5),
  })); // prettier-ignore

export const certificates = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('cert-', i),
    description: i ? '' : 'renewed every spring',
    name: ['office-2027', 'our-root', 'zhang.laptop', 'branch'][i % 4] + (i > 3 ? i : ''),
    type: ['server', 'client-ca', 'client', 'peer-ca'][i % 4],
    state: ['valid', 'expiring', 'revoked', 'expired'][i % 4],
    subject: 'CN=vpn.example.com', issuer: 'CN=Example Root', serial: '4F1D9A0B2C3D4E5F', names: ['vpn.example.com'], key_type: 'ECDSA P-256',
    fingerprint: '3b1f'.repeat(16), not_before: t(-9000), not_after: t(525600), has_key: i % 4 === 0,
    client: i % 4 === 2 ? id('sslcli-', 0) : undefined, server: i % 4 === 2 ? id('sslsrv-', 0) : undefined,
    used_by: i % 4 === 0 ? [id('sslsrv-', 0)] : [], revoked_at: i % 4 === 2 ? t(-60) : undefined,
    version: 1, created_at: t(-3000 - i), updated_at: t(-5),
  })); // prettier-ignore

export const sessions = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('ses_', i),
    client: id('sslcli-', i % 3),
    gateway: id('vpngw-', 0),
    source_ip: '198.51.100.23',
    inner_ip: `10.250.0.${10 + i}`,
    inner_ip6: i % 2 ? '' : `fd3a:8c1e:5b20::${10 + i}`,
    started_at: t(-7 - i * 31),
    ended_at: i % 3 === 2 ? t(-2) : undefined,
    reason: i % 3 === 2 ? 'idle' : undefined,
    server: id('sslsrv-', 0),
    rate_in: 125_000 * i,
    rate_out: 2_500_000 * i,
    packets_in: 1234 * (i + 1),
    packets_out: 65_432 * (i + 1),
    client_version: ['Open AnyConnect VPN Agent v9.01', 'AnyConnect Linux_64 4.10.07073'][i % 2],
    bytes_in: 1_234_567 * (i + 1),
    bytes_out: 98_765_432 * (i + 1),
    transport: i % 3 === 2 ? '' : ['dtls', 'tls'][i % 2],
  }));

export const traffic = () => {
  const step = 10;
  const samples = Array.from({ length: 360 }, (_, i) => ({
    at: new Date(Date.now() - (360 - i) * step * 1000).toISOString(),
    bytes_in: Math.round(step * 1.4e6 * (1.2 + Math.sin(i / 23) + 0.25 * Math.sin(i * 1.7))),
    bytes_out: Math.round(step * 5.2e6 * (1.3 + Math.sin(i / 31) + 0.2 * Math.cos(i * 2.3))),
    sessions: 4,
  }));
  return { step_seconds: step, items: samples };
};

const orderStates = ['pending_payment', 'fulfilling', 'completed', 'expired', 'needs_attention', 'refunded'];
export const orders = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('ord_', i),
    kind: 'new',
    state: orderStates[i % 6],
    total: cny(['28740.00', '149.00', '3489.00'][i % 3]),
    placed_at: t(-4 - i * 700),
    expires_at: t(26),
    paid_at: [1, 2, 4, 5].includes(i % 6) ? t(-3 - i * 700) : undefined,
    ended_at: i % 6 === 2 ? t(-2 - i * 700) : undefined,
    account: id('acc_', i),
    lines: [
      {
        id: id('orl_', i), number: 1, kind: 'recurring', product: 'vpn-gateway', region: 'cn-east-1',
        options: { ssl_bandwidth: '100', ssl_connections: '50' }, configuration: { name: names[i % 3], network: 'demo-net' },
        cycle: 12, amount: cny('28740.00'), state: i % 6 === 2 ? 'delivered' : 'waiting',
      },
    ],
  })); // prettier-ignore

const refund = (i, state, more = {}) => ({
  number: `R261128091500${String(i).padStart(3, '0')}K4V1B8X7Q2M9ZT0W3`,
  order: id('ord_', i),
  rule: ['full', 'prorata', 'undelivered'][i % 3],
  target: ['original', 'wallet'][i % 2],
  amount: cny(['3489.00', '128740.50', '149.00'][i % 3]),
  state,
  requested_at: t(-300 - i * 190),
  ...more,
});
const held = { suspended_at: t(-296) };
const heard = { last_query: 'processing', last_query_at: t(-12), next_query_at: t(18) };
const refundStates = [
  ['review', {}],
  ['failed', { ...held, problem: 'payment.refund_abnormal' }],
  ['unknown', { ...held, last_query: 'payment.provider_unknown', last_query_at: t(-12) }],
  ['processing', { ...held, ...heard }],
  ['succeeded', { ...held, settled_at: t(-200), ended_at: t(-199) }],
  ['rejected', { settled_at: t(-200), problem: 'used_up' }],
  ['cancelled', { ...held, settled_at: t(-200), ended_at: t(-199) }],
  ['review', { seconded: true }],
];

/** Orders 2 and 8 may be refunded, 4 has one that failed, 14 one that waits, the others one of each state. */
export const orderRefunds = (order) => {
  const i = orders(27).findIndex((o) => o.id === order);
  if (i % 6 === 5)
    return [refund(i, 'succeeded', { rule: 'full', target: 'original', ...refundStates[4][1] })];
  if (i % 6 === 4) return [refund(i, 'failed', { rule: 'full', target: 'original', ...refundStates[1][1] })];
  if (i === 14) return [refund(i, 'review', { rule: 'full' })];
  if (i === 20) return [refund(i, 'processing', { rule: 'full', target: 'original', ...held })];
  return [];
};

const ticketStates = [
  'customer_replied',
  'open',
  'in_progress',
  'awaiting_customer',
  'on_hold',
  'resolved',
  'closed',
];
const ticketTitles = [
  '上海网关每小时断开一次',
  '发票抬头可以改吗？',
  'Which ciphers does DTLS use?',
  '购买前咨询：带宽如何计费',
];
export const tickets = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('tkt_', i),
    ticket_title: ticketTitles[i % 4],
    department: ['technical', 'billing', 'technical', 'sales'][i % 4],
    priority: ['urgent', 'normal', 'low', 'normal'][i % 4],
    resource: i % 4 === 0 ? id('vpngw-', 0) : '',
    state: ticketStates[i % 7],
    opened_at: t(-5000 - i * 300),
    changed_at: t(-200 - i * 60),
    due_at: i % 7 < 3 ? t(30 - i * 90) : undefined,
    closed_at: i % 7 === 6 ? t(-100) : undefined,
  }));
export const queuedTickets = (n) =>
  tickets(n).map((k, i) => ({
    ...k,
    ticket_title: undefined,
    account: id('acc_', i),
    handle: i % 3 ? id('sub_', i) : '',
    claimed_by_you: i % 3 === 1,
    late: i % 7 < 3 && i > 0,
  }));
export const ticketThread = (wanted) => {
  const k = tickets(27).find((x) => x.id === wanted) ?? tickets(1)[0];
  const m = (i, by_staff, words, html) => ({
    id: id('tkm_', i),
    by_staff,
    words,
    html,
    at: t(-4900 + i * 60),
  });
  return {
    ...k,
    messages: [
      m(
        0,
        false,
        '',
        '<p>从昨天起，<strong>每小时</strong>断开一次，日志如下：</p><pre><code>rekey failed: timeout\nreconnecting in 3 s\n</code></pre>',
      ),
      m(
        2,
        true,
        '',
        '<p>您好，请把客户端升级到 1.4 后再试：</p><ol><li>打开“关于”</li><li>点击“检查更新”</li></ol>',
      ),
      m(4, false, '', '<p>升级后正常，谢谢！</p>'),
    ],
    files: [
      {
        id: id('tkf_', 0), by_staff: false, file_name: '截图 2026-11-29.png', media: 'image/png', size: 184_320, quarantined: false, at: t(-4850),
      }, {
        id: id('tkf_', 1), by_staff: false, file_name: 'diagnose.zip', media: 'application/octet-stream', size: 402_113, quarantined: true, at: t(-4849),
      },
    ],
  }; // prettier-ignore
};
export const staffTicket = (wanted) => ({
  ...ticketThread(wanted),
  account: id('acc_', 0),
  handle: id('sub_', 1),
  claimed_by_you: true,
  staff_notes: [
    { id: id('tkn_', 0), handle: id('sub_', 2), words: '与 1.3.2 的已知问题相同。', at: t(-4800) },
  ],
});
export const canned = (n) =>
  Array.from({ length: Math.min(n, 4) }, (_, i) => ({
    id: id('tkc_', i),
    department: ['technical', '', 'billing', 'sales'][i],
    title: ['请升级客户端', '感谢反馈', '发票说明', '计费方式'][i],
    text_zh: '您好，请把客户端升级到最新版本后再试；如果仍有问题，请附上日志。',
    text_en: 'Hello, please update the client and try again; if it still fails, add the log.',
    changed_at: t(-9000),
  }));

export const refundOffer = () => ({
  rule: 'full',
  amount: cny('3489.00'),
  wallet_share: cny('489.00'),
  targets: ['original', 'wallet'],
  until: t(9000),
  left: 19,
  services_ending: 1,
});

export const refunds = (n) =>
  Array.from({ length: n }, (_, i) => ({
    ...refund(i, ...refundStates[i % 8]),
    account: id('acc_', i),
    payment: payments(i + 1)[i].number,
    gateway: ['epay-demo', 'alipay-demo', 'wechatpay-demo'][i % 3],
    seconded: i % 8 === 7,
  }));

const refundSteps = {
  review: ['request:requested', 'policy_manual:review'],
  approved: [
    'approve:approved',
    'service_suspended:approved',
    'execute_original:processing',
    'sent:processing',
  ],
};
export const refundDetail = (number) => {
  const r = refunds(27).find((x) => x.number === number) ?? refunds(1)[0];
  const end = {
    failed: 'fail',
    unknown: 'timeout',
    succeeded: 'ok',
    rejected: 'reject',
    cancelled: 'abandon',
  };
  const events = [
    ...refundSteps.review,
    ...(r.seconded ? ['second:review'] : []),
    ...(['review', 'rejected'].includes(r.state) ? [] : refundSteps.approved),
    ...(end[r.state] ? [`${end[r.state]}:${r.state}`] : []),
    ...(r.state === 'succeeded' ? ['service_ended:succeeded'] : []),
  ];
  return {
    ...r,
    seconded_by_you: r.seconded,
    steps: events.map((name, i) => {
      const [event, state] = name.split(':');
      const by =
        event === 'request'
          ? 'self'
          : ['approve', 'second', 'reject', 'abandon'].includes(event)
            ? 'staff'
            : 'system';
      return {
        event, state, class: by, handle: by === 'system' ? '' : id('sub_', i), at: t(-300 + i * 3),
        reason: event === 'request' ? 'customer' : event === 'fail' || event === 'reject' ? r.problem : '',
      }; // prettier-ignore
    }),
  };
};

export const methods = [
  {
    id: 'epay-demo.alipay',
    type: 'alipay',
    kind: 'epay',
    purpose: 'payment.epay',
    min: cny('0.01'),
    max: cny('50000.00'),
  },
  {
    id: 'epay-demo.wxpay',
    type: 'wxpay',
    kind: 'epay',
    purpose: 'payment.epay',
    min: cny('0.01'),
    max: cny('50000.00'),
  },
  ...[
    ['alipay', 'page'],
    ['alipay', 'qr'],
    ['wechatpay', 'native'],
  ].map(([kind, type]) => ({
    id: `${kind}-demo.${type}`,
    type,
    kind,
    purpose: `payment.${kind}`,
    min: cny('0.01'),
    max: cny('100000.00'),
  })),
];

export const payments = (n) =>
  Array.from({ length: n }, (_, i) => ({
    number: `S261122101200${String(i).padStart(3, '0')}X7Q2M9K4V1B8`, order: id('ord_', i), method: 'epay-demo.alipay', account: id('acc_', i),
    state: ['pending', 'succeeded', 'closed', 'unknown'][i % 4], amount: cny('3489.00'), created_at: t(-3), expire_at: t(20),
  })); // prettier-ignore

const clause = (n, title) =>
  `<h2>${n}. ${title}</h2><p>为向您提供 VPN 服务，我们仅收集完成注册、订购、支付与连接所必需的信息。<strong>我们不会记录您访问的目标、DNS 查询与通信内容。</strong></p><p>You may withdraw a consent at any time; what depends on it stops within a second.</p>`;
export const policies = ['platform', 'client', 'terms'].map((document, i) => ({
  document, version: '1.0.0', title: ['平台隐私政策', 'VPN 接入隐私政策', '服务条款'][i], effective_at: t(-40000), published_at: t(-41000),
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', change: i ? 'minor' : 'major',
})); // prettier-ignore
export const staffPolicies = (n) =>
  policies.flatMap((p) => [
    ...(n > 1 ? [{ ...p, version: '1.0.1', change: 'minor', published_at: t(-900), effective_at: t(9000), published_by: id('sub_', 3), drift: p.document === 'platform' }] : []),
    { ...p, published_by: 'system', drift: false },
  ]); // prettier-ignore
export const policyDraft = (document, scenario) => ({
  ...(policies.find((p) => p.document === document) ?? policies[0]),
  version: '1.0.2', replaces: '1.0.1', effective_at: t(12000), asked: document !== 'terms', unchanged: document === 'client', html: clause(1, '收集与使用'),
  problems: document === 'platform' && scenario === 'many' ? [
    { clause: 'TY-5.1c', what: 'is kept by a symbol that is not in the build', promise: true },
    { clause: 'LT-1.1c', what: 'cites article 37 of the Cybersecurity Law, which is not in force on 2026-12-08', promise: false },
    { clause: '', what: 'the text names 《示例云服务协议》, which is not the title of one of ours', promise: false },
  ] : [],
  lines: document === 'client' ? [{ kind: 'same', text: '# 隐私政策' }] : [
    { kind: 'same', text: '# 平台隐私政策' }, { kind: 'removed', text: '版本 1.0.1，更新于 2026年11月28日，自 2026年12月5日起生效。' },
    { kind: 'added', text: '版本 1.0.2，更新于 2026年11月29日，自 2026年12月8日起生效。' },
    ...Array.from({ length: 14 }, (_, i) => ({ kind: 'same', text: `第 ${i + 1} 段没有变化。` })),
    { kind: 'same', text: '## 接收方' }, { kind: 'added', text: '| 示例短信服务有限公司（中国内地） | 发送验证码 | 手机号码 | 受托处理 | https://sms.example.com/privacy/a-very-long-address-that-does-not-break |' },
    { kind: 'same', text: '' }, { kind: 'same', text: '我们不会向名单以外的人提供您的信息。' },
  ],
}); // prettier-ignore
export const children = (n) =>
  [
    { account: id('acc_', 8), created_at: t(-90000) },
    { account: id('acc_', 9), created_at: t(-80000), withdrawn_at: t(-600) },
  ].slice(0, n > 1 ? 2 : 0);
export const policy = (document) => ({
  ...(policies.find((p) => p.document === document) ?? policies[0]),
  locale: 'zh-CN',
  html:
    ['收集与使用', 'Cookie', '共享与对外提供', '您的权利', '存储与安全', '未成年人']
      .map((x, i) => clause(i + 1, x))
      .join('') +
    '<h2>7. 接收方清单</h2><table><tr><th>接收方</th><th>目的</th><th>字段</th></tr><tr><td>示例支付</td><td>支付</td><td>订单号、金额</td></tr></table>',
  text: 'plain text',
  text_sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  versions: [policies[0], { ...policies[0], version: '0.9.0' }],
});

const clauses = [
  ['LT-0c', 'enforced', 'only the click counts', ['internal/control/consent.Service.Gate'], 'gates_open_without_act', 'expected'],
  ['LT-1.1a', 'enforced', 'exactly 3 fields; argon2id, 16-byte salt, stored parameters; mail verified', ['internal/control/account.Registration', 'internal/platform/password.Hasher.Hash'], 'passwords_readable', 'expected'],
  ['LT-1.1b', 'enforced', 'provision in CN-mainland needs verification; elsewhere never asked', ['internal/control/realname.Service.Require'], 'provision_without_verification', 'unexpected'],
  ['LT-5.1', 'open', 'all stores HK', [], '', ''],
  ['SUP-6', 'enforced', 'keep a VPN session log of exactly {start, end, handle, source IP, gateway, inner address, bytes in, bytes out, reason}, declared in both texts', ['internal/control/consent.Declared', 'internal/gwlink.Report'], 'columns_undeclared', 'failed'],
  ['TY-2.1', 'planned', 'no sign-up screen, route, capability for client class; login only when the service is open', [], '', ''],
  ['TY-3.2a', 'enforced', 'ceiling = floor or purpose end (+3 d run grace)', ['internal/platform/retention.LastPast'], 'retention_overdue', ''],
  ['TY-5.1d', 'organisational', '>12 months untrained → PI roles lapse', [], '', ''],
]; // prettier-ignore
export const downloads = (n) =>
  Array.from({ length: Math.min(n, 4) }, (_, i) => ({
    version: ['v1.1.0', 'v1.1.0', 'v1.1.0', 'v1.0.2'][i],
    system: ['linux-amd64', 'linux-amd64', 'windows-amd64', 'linux-amd64'][i],
    program: i === 1 ? 'skyconnect-window' : 'skyconnect',
    size: 18_400_000 - i * 310_000,
    sha256: '3f0e5c8a91d2'.repeat(6).slice(0, 64),
    notes: ['更快的重连；诊断报告', '更快的重连；诊断报告', '更快的重连；诊断报告', '修正'][i],
    at: '2026-11-20T02:00:00Z',
    path: '/downloads/releases/targets/v1.1.0/3f0e.skyconnect-linux-amd64',
  }));
export const trust = (n) => ({
  program: '1.4.0', data_map_sha256: policies[0].sha256,
  log: n === 0 ? undefined : {
    verifier: 'console.example.org/log+5a1c03de+AZk9x1uVJrQ2mB0e8nYc3hLwq7TfD4sKp6GiR5tE2oXa',
    checkpoint: 'console.example.org/log\n48213\nq7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3hLw=\n\n— console.example.org/log WhwD3kX9mB0e8nYc3hLwq7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3hLwq7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3=\n',
    size: 48213, root: 'q7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3hLw=', signed_at: t(-1),
    signature: '— console.example.org/log WhwD3kX9mB0e8nYc3hLwq7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3hLwq7TfD4sKp6GiR5tE2oXaZk9x1uVJrQ2mB0e8nYc3=',
  },
  clauses: clauses.slice(0, n).map(([number, state, must, enforced_by, query, found]) => ({
    id: number, state, must, must_zh: `程序须做到：${must}`, enforced_by, query, tests: enforced_by.map((s) => `${s.slice(0, s.indexOf('.'))}.TestItIsKept`),
    planned: state === 'planned' ? 'skyconnect: the client' : undefined, mutant_killed_by: number === "LT-0c" ? 'internal/control/consent.TestItIsKept' : undefined,
    evidence: found ? { state: found, examined: 1284, found: found === 'unexpected' ? 2 : 0, checks: 310, checked_at: t(-20) } : undefined,
  })),
}); // prettier-ignore

export const prompt = (purpose) => ({
  purpose, kind: purpose === 'realname' ? 'separate.sensitive' : 'plain', document: 'platform', version: '1.0.0', title: '平台隐私政策',
  notice: `<p><strong>为什么</strong>：法律要求使用中国大陆地域前核验身份。</p><ul><li>收集：姓名、身份证号码</li><li>提供给：身份核验服务商（加密传输）</li><li>不同意：仅不能购买中国大陆地域</li></ul>`,
  text_sha256: 'e3b0', locale: 'zh-CN', token: 'one-time', expires_at: t(30), adult: purpose === 'platform_policy',
}); // prettier-ignore

export const consents = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('cns_', i), purpose: ['platform_policy', 'realname', 'vpn_client_policy'][i % 3], kind: i % 3 === 1 ? 'separate.sensitive' : 'plain',
    decision: ['grant', 'grant', 'withdraw'][i % 3], document: 'platform', version: '1.0.0', locale: 'zh-CN', channel: 'console', at: t(-900 - i * 60),
  })); // prettier-ignore
export const disclosures = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('dsc_', i), at: t(-300 - i * 50), recipient: ['epay.demo', 'idv.aliyun', 'mail.smtp'][i % 3], operation: 'x',
    legal_name: ['示例聚合支付有限公司', '阿里云计算有限公司', '示例邮件服务商'][i % 3], purpose: ['payment', 'realname', 'verify'][i % 3],
    fields: [['order_no', 'amount'], ['name', 'number'], ['email']][i % 3], phase: ['done', 'done', 'unknown'][i % 3],
  })); // prettier-ignore
export const reads = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('rd_', i), at: t(-200 - i * 40), reader: ['self', 'job', 'staff'][i % 3], fields: ['email'], purpose: 'account', reason: i % 3 === 2 ? '工单 TK-1042：客户要求更正邮箱' : '',
  })); // prettier-ignore
export const loginSessions = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('ses_', i), browser: ['Firefox 142', 'Chrome 151', 'Safari 20'][i % 3], os: ['Linux', 'Windows 11', 'iOS 20'][i % 3], ip: '198.51.100.23',
    created_at: t(-900), last_seen_at: t(-i), expires_at: t(9000), mfa: i === 0, current: i === 0,
    remembered_until: i === 1 ? t(40000) : undefined,
  })); // prettier-ignore
const cookie = (name, kind, act, purpose, life, rest) => ({
  name,
  kind,
  act,
  purpose,
  life,
  script: false,
  lasting: true,
  ...rest,
});
export const cookies = {
  cookies: [
    cookie('__Host-session', 'session', 'sign-in', '识别登录状态', '关闭浏览器即失效，最长 12 小时', { seconds: 43200, holds: ['secret'], lasting: false, present: true }),
    cookie('__Host-remember', 'remember', 'tick', '保持登录；仅在您勾选后设置', '自勾选起 30 天，每次使用即更换', { seconds: 2592000, holds: ['secret'], present: true }),
    cookie('prefs', 'prefs', 'choose', '语言与主题；不含任何标识符', '自您选择起 1 年', { seconds: 31536000, holds: ['language', 'theme'], script: true, present: true }),
  ],
  storage: [],
}; // prettier-ignore
export const loginLog = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('lgn_', i), at: t(-i * 400), ip: '198.51.100.23', browser: 'Firefox 142', os: 'Linux', method: 'password',
    outcome: i % 4 === 1 ? 'wrong_password' : 'ok',
  })); // prettier-ignore
export const users = (n) =>
  Array.from({ length: n }, (_, i) => ({
    account: id('acc_', i), user_name: ['lin.wanqing', 'bo', 'a-user-name-of-thirty-two-chars0'][i % 3], email_verified: i % 3 !== 1, totp: i % 2 === 0,
    staff: i === 0, created_at: t(-9000 - i),
  })); // prettier-ignore
export const nodes = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('node_', i), name: `gw-${i}.sha.example.net`, region: 'cn-east-1', location: 'CN-mainland', addresses: ['203.0.113.7', '2001:db8:5::7'], version: '0.1.0',
    health: ['online', 'behind', 'offline', 'new'][i % 4], last_seen_at: t(-0.1), generation: 42 + i, applied: 42,
  })); // prettier-ignore
export const audit = (n) =>
  Array.from({ length: n }, (_, i) => ({
    index: 1042 - i, at: t(-i * 3), type: ['order.paid', 'account.login', 'consent.granted', 'vpn.client_created'][i % 4], handle: id('sub_', 1), commitment: 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
  })); // prettier-ignore
export const legalOrders = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: id('lo_', i), authority: i % 3 ? '某市公安局网络安全保卫支队' : '某市中级人民法院', jurisdiction: 'CN', doc_no: `网安调证字〔2026〕第 ${17 + i} 号`, law: 'CSL 28', scan_sha256: 'ab'.repeat(32),
    scope: { subjects: [id('sub_', i), ...(i % 4 ? [] : [id('sub_', i + 1)])], categories: i % 2 ? ['contact.email', 'net.ip', 'net.session'] : ['account.name', 'order'], from: t(-90000), until: t(-1000) },
    expires: t(40000 + i), ...(i % 3 === 1 ? { suppress_until: t(30000) } : {}), suppress_law: i % 3 === 1 ? 'CPL 75' : '', state: ['entered', 'approved', 'executed', 'refused'][i % 4],
    entered_by: id('sub_', 90), entered_at: t(-400), approvers: i % 4 === 0 ? [id('sub_', 91)] : i % 4 === 3 ? [] : [id('sub_', 91), id('sub_', 92)], ended_by: '', package_sha256: '',
  })); // prettier-ignore
export const holds = (n) =>
  Array.from({ length: Math.min(n, 3) }, (_, i) => ({
    id: id('hold_', i), subject: i ? id('sub_', i) : '', class: ['vpn_session', 'order', ''][i], law: '网络安全法第二十八条', authority: '上海市公安局',
    placed_by: id('sub_', 9), placed_at: t(-9000), until: t(90000), ended_at: i === 1 ? t(-100) : undefined,
  })); // prettier-ignore
export const runs = (n) =>
  Array.from({ length: Math.min(n, 9) }, (_, i) => ({
    run: `run_${Math.trunc(i / 3)}`, at: t(-1440 * (1 + Math.trunc(i / 3))), class: i === 8 ? '' : ['access_log', 'netlog', 'vpn_session'][i % 3],
    examined: i === 8 ? 0 : 412 * i, destroyed: i === 8 ? 0 : 400 * i, held: i === 8 ? 0 : 12 * i, overdue: 0, problem: i === 8 ? 'clock' : i === 4 ? 'failed' : '',
  })); // prettier-ignore
export const verification = {
  id: id('rnv_', 1),
  state: 'verified',
  masked_name: '林**',
  masked_number: '3101**********1234',
  submitted_at: t(-999),
  decided_at: t(-998),
};
export const quote = (body) => ({
  lines: [
    {
      number: 1,
      kind: 'recurring',
      amount: cny('2395.00'),
      items: [
        { option: '', value: '', amount: cny((99 * body.cycle).toFixed(2)) },
        ...Object.entries(body.options).map(([option, value]) => ({
          option,
          value,
          amount: cny((Number(value) * 14 * body.cycle).toFixed(2)),
        })),
      ],
    },
  ],
  total: cny(
    (body.cycle * (99 + Object.values(body.options).reduce((s, v) => s + Number(v) * 14, 0))).toFixed(2),
  ),
  quote_hash: 'h',
  expires_at: t(15),
});
export const secret = {
  user_name: 'zhang.laptop', password: 'x7Kq-mP2v-9dRt-wZ4n', totp_secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', until: t(600),
  totp_uri: 'otpauth://totp/Skybridge:zhang.laptop?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Skybridge',
}; // prettier-ignore
export const notices = (n) =>
  Array.from({ length: Math.min(n, 5) }, (_, i) => ({
    id: id('ntc_', i), event: 'order.paid', title: '订单已支付', body: '正在创建 VPN 网关。', link: '/orders', at: t(-i * 60), read_at: i ? t(-1) : undefined,
  })); // prettier-ignore

const asked = [
  'copy',
  'port',
  'explain',
  'delete',
  'deceased',
  'complaint',
  'correct',
  'question',
  'restrict',
];
const stood = ['done', 'asked', 'done', 'refused', 'received', 'received', 'carrying', 'withdrawn', 'done'];
export const requests = (n) =>
  Array.from({ length: Math.min(n, 9) }, (_, i) => ({
    id: id('dsr_', i), kind: asked[i], state: stood[i], channel: i === 4 ? 'phone' : 'console', identity: i === 1 ? 'asked' : 'ok', special: i === 4 ? 'volume' : '',
    decision: { done: i === 8 ? 'partial' : 'granted', refused: 'refused' }[stood[i]] ?? '', reason: '', law: '', received_at: t(-i * 1500 - 30), provisional: i === 6,
    due_at: ['asked', 'received', 'carrying'].includes(stood[i]) ? t([0, 4200, 0, 0, 900, -600, 20000][i]) : undefined,
    answered_at: undefined, closed_at: ['done', 'refused', 'withdrawn'].includes(stood[i]) ? t(-10) : undefined,
    copy: i === 0 ? { state: 'ready', size: 48213, sha256: 'ab'.repeat(32), made_at: t(-20), until: t(4300) } : undefined,
  })); // prettier-ignore
export const request = (wanted) => {
  const r = requests(9).find((x) => x.id === wanted) ?? requests(9)[4];
  const answered = ['done', 'refused'].includes(r.state);
  return {
    ...r,
    words: r.kind === 'copy' ? '' : '我想知道为什么登录日志要保存六个月，以及谁可以看到它们；如果可以，请只保留必要的部分。',
    clocks: [{ rule: 'reply.3wd', due_at: t(900), provisional: false }],
    letter_sha256: answered ? 'cd'.repeat(32) : '',
    addressed: '',
    mails: [],
    letter: answered
      ? { 'zh-CN': `云桥：关于您的个人信息权利请求的答复\n\n请求编号：${r.id}\n\n我们同意您的请求。\n\n投诉渠道：privacy@example.com\n`, en: `Skybridge: answer to your request about your personal data\n\nRequest: ${r.id}\n\nWe grant your request.\n\nComplaints: privacy@example.com\n` }
      : undefined,
  };
}; // prettier-ignore
const kept = (name, zh, en) => ({ class: name, words: zh ? { 'zh-CN': zh, en } : {} });
export const ownData = (n) =>
  [
    { table: 'account_person', rows: 1, categories: ['account.name', 'contact.email', 'account.secret'], kept: [kept('account_core', '账户注销后至多十五个工作日', 'until 15 working days after cancellation at the latest')], law: '', until: '' },
    { table: 'account_login', rows: 318, categories: ['net.ip', 'net.useragent', 'net.session'], kept: [kept('netlog', '自记录之日起六个自然月，届满后三日内', 'six calendar months from the day of record, then within three days')], law: 'CSL 23', until: 'day+6m' },
    { table: 'realname_verification', rows: 1, categories: ['id.name', 'id.number', 'id.result'], kept: [kept('realname_value', '实名服务存续期间', 'while services that need it exist'), kept('realname_result')], law: '', until: '' },
    { table: 'order_order', rows: 27, categories: ['order'], kept: [kept('order', '完成后三年（电子商务法第三十一条）', 'three years from completion (E-Commerce Law art. 31)')], law: 'ECL 31', until: 'order+3y' },
    { table: 'fleet_session', rows: 12904, categories: ['net.ip', 'net.session'], kept: [kept('vpn_session', '自记录之日起六个自然月，届满后三日内', 'six calendar months from the day of record, then within three days')], law: 'CSL 23', until: 'day+6m' },
  ].slice(0, n); // prettier-ignore
export const sheet = {
  columns: ['id', 'at', 'detail', 'outcome'],
  rows: Array.from({ length: 30 }, (_, i) => [id('log_', i), '1764400000000000', '{"ip":"203.0.113.7","browser":"Firefox 145","os":"Windows 11"}', 'ok']),
  total: 318,
}; // prettier-ignore
export const classes = [
  { id: 'account_core', from: 'cancellation', law: [], floor: { months: 0, days: 0, working_days: 0, hours: 0 }, ceiling: { months: 0, days: 0, working_days: 15, hours: 0 }, lasting: false },
  { id: 'netlog', from: 'day of record', law: ['CSL 23'], floor: { months: 6, days: 0, working_days: 0, hours: 0 }, ceiling: { months: 6, days: 3, working_days: 0, hours: 0 }, lasting: false },
  { id: 'log_leaf', from: 'the life of the log', law: [], floor: { months: 0, days: 0, working_days: 0, hours: 0 }, ceiling: { months: 0, days: 0, working_days: 0, hours: 0 }, lasting: true },
]; // prettier-ignore
const roles = ['system', 'security', 'audit', 'desk', 'identity'];
const power = (r) => ['system', 'security', 'audit'].includes(r);
export const staff = (n) => ({
  members: [
    { user_name: 'lin.wanqing', power: 'security', roles: ['security'], own: true },
    { user_name: 'zhang-xiulan.operations-night', power: 'system', roles: ['system', 'desk', 'identity'] },
    { user_name: 'chen.audit', power: 'audit', roles: ['audit'] },
    { user_name: 'he.begin', power: 'founding', founding_until: t(30000), roles: ['system', 'desk'] },
    {
      user_name: 'wu.bereitschaft',
      power: 'system',
      emergency: 'security',
      emergency_until: t(120),
      roles: ['security'],
    },
    { user_name: 'old.admin', power: '', roles: ['desk'], combined: true },
  ]
    .slice(0, n)
    .map((m, i) => ({
      own: false,
      emergency: '',
      permissions: [],
      combined: false,
      subject: id('sub_', i),
      ...m,
    })),
  roles: roles.map((role) => ({
    role,
    permissions:
      role === 'identity'
        ? ['realname.review', 'realname.reveal', 'realname.correct']
        : ['fleet.read', 'staff.read'],
    excludes: roles.filter(
      (o) => o !== role && (role === 'audit' || o === 'audit' || (power(role) && power(o))),
    ),
  })),
});
export const stops = (n) =>
  [
    { reader: 'zhang-xiulan.operations-night', at: t(-12), tries: 3, releaser: '', reason: '' },
    { reader: 'lin.wanqing', at: t(-50), tries: 1, own: true, releaser: '', reason: '' },
    {
      reader: 'wu.bereitschaft',
      at: t(-3000),
      tries: 1,
      releaser: 'lin.wanqing',
      reason: 'case 2026-118',
      released_at: t(-2990),
    },
  ]
    .slice(0, n)
    .map((s, i) => ({ id: id('stop_', i), class: 'staff', own: false, ...s }));
export const correctionTasks = (n) =>
  ['示例云科技有限公司（演示，并非真实主体）', '阿里云计算有限公司'].slice(0, n).map((legal_name, i) => ({
    id: id('ctk_', i),
    subject: id('sub_', i),
    recipient: i ? 'idv.aliyun' : 'mail.smtp',
    legal_name,
    fields: i ? ['UserName', 'IdentifyNum'] : ['email'],
    via: i ? 'adapter' : 'staff',
    due_at: t(9000),
    own: false,
  }));
export const corrections = (n) =>
  [
    {
      fields: ['realname_verification.name', 'realname_verification.number'],
      recipients: [
        {
          legal_name: '阿里云计算有限公司',
          fields: ['UserName'],
          due_at: t(9000),
          told_at: t(-10),
          receipt: id('dis_', 1),
        },
      ],
    },
    {
      fields: ['account_person.email'],
      recipients: [
        {
          legal_name: '示例云科技有限公司（演示，并非真实主体）',
          fields: ['email'],
          due_at: t(9000),
          receipt: '',
        },
      ],
    },
    { fields: ['vpn_client.description'], recipients: [] },
  ]
    .slice(0, n)
    .map((c, i) => ({ id: id('cor_', i), at: t(-60 * (i + 1)), ...c }));
export const trainings = (n) =>
  [
    { user_name: 'operator', at: t(-100000), until: t(420000), disabled: false },
    { user_name: 'chen.compliance.night-shift', at: t(-510000), until: t(15000), disabled: false },
    { user_name: 'former', disabled: true },
    { user_name: 'new.hire', disabled: false },
  ].slice(0, n); // prettier-ignore
export const needs = (n) =>
  [
    { recipient: 'idv.aliyun', kind: 'contract', name: '阿里云计算有限公司', state: 'live', ends: t(400000) },
    { recipient: 'idv.aliyun', kind: 'assessment', name: 'PIA-007', state: 'ending', ends: t(9000) },
    { recipient: 'pay.wechatpay', kind: 'contract', name: '财付通支付科技有限公司', state: 'missing' },
  ].slice(0, n); // prettier-ignore
export const agreements = (n) =>
  [{ id: id('agr_', 1), recipient: 'idv.aliyun', sha256: 'ab'.repeat(32), purposes: ['realname'], kinds: ['UserName', 'IdentifyNum', 'ParamType'], method: '加密传输', safeguards: '国密加密', supervision: '年度审计', begins: t(-9000), ends: t(400000), approver: '', at: t(-9000) }].slice(0, n); // prettier-ignore
export const assessments = (n) =>
  [{ id: id('pia_', 1), pia: 'PIA-007', sha256: 'cd'.repeat(32), necessity: '法律要求在提供中国大陆服务前核验真实身份，只传姓名与号码。', impact: '号码泄露', measures: '加密', ends: t(9000), approver: '', at: t(-9000) }].slice(0, n); // prettier-ignore
const incidentClock = (rule, due, more = {}) => ({ rule, due_at: t(due), ...more });
export const incidents = (n) =>
  Array.from({ length: Math.min(n, 6) }, (_, i) => ({
    id: id('inc_', i), kind: ['leak', 'loss', 'flaw', 'tampering'][i % 4], state: ['counting', 'assessed', 'notifying', 'notified', 'waived', 'closed'][i % 6], t0: t(-90 - i * 900),
    detected_by: 'monitoring', sensitive: i === 0, critical: false, people: [0, 1000000, 412, 10000000, 3, 27][i % 6], counted_at: i ? t(-80) : undefined,
    grade: ['ordinary', 'large', 'ordinary', 'major', 'ordinary', 'ordinary'][i % 6], announce_owed: i === 3, opened_at: t(-85), closed_at: i === 5 ? t(-5) : undefined,
    clocks: [
      incidentClock('authority.4h', 150 - i * 100, i === 2 ? { waived_at: t(-70) } : i === 1 ? { missed_at: t(-1) } : {}), incidentClock('people.24h', 1350 - i * 100),
      ...(i === 5 ? [] : [incidentClock('summary.30d', 43000)]),
    ].map((c) => (i === 5 ? { ...c, met_at: t(-10) } : c)),
  })); // prettier-ignore
const fieldNames = ['kinds', 'cause', 'harm', 'impact', 'taken', 'planned', 'advice', 'remedy', 'contact'];
const noticeText =
  '云桥发生了一起可能涉及您个人信息的安全事件。\n\n涉及的个人信息种类\n用户名、电子邮箱、登录日志（2026 年 11 月 20 日至 22 日）\n\n原因\n备份服务器的访问密钥被误传至公开的代码仓库。\n\n您可以采取的防范措施\n请修改密码，并警惕自称客服的来电。';
export const incidentFile = () => ({
  ...incidents(4)[3], announce_owed: true, scope: [{ kind: 'logins', from: t(-3000), to: t(-90) }], facts: { systems: '控制台数据库', place: '上海' }, told: 10000000, reached: 9200000, unreachable: 612000, open_tasks: 27,
  fact_names: ['systems', 'place', 'data', 'impact', 'measures', 'trend', 'cause', 'clues', 'planned', 'support', 'scene', 'other'], fields: fieldNames, channels: ['push', 'mail', 'phone', 'announcement'],
  steps: ['opened', 'counted', 'notice_written', 'notice_sent', 'notified', 'announcement_owed'].map((step, i) => ({ step, staff: i % 2 ? '' : id('sub_', 1), detail: i === 1 ? { people: '10000000', grade: 'major' } : {}, at: t(-80 + i) })),
  notices: [
    { id: id('ntc_', 0), number: 1, state: 'sent', cause_unknown: true, words: {}, missing: [], text: { 'zh-CN': noticeText, en: noticeText }, sha256: 'ab', written_by: id('sub_', 1), written_at: t(-70), sent_by: id('sub_', 1), sent_at: t(-60), done_at: t(-50), announced: false },
    { id: id('ntc_', 1), number: 2, state: 'draft', cause_unknown: false, words: { 'zh-CN': Object.fromEntries(fieldNames.slice(0, 8).map((f) => [f, '备份服务器的访问密钥被误传至公开的代码仓库，已于当日撤销并更换。'])), en: { kinds: 'User names, e-mail addresses' } }, missing: [], text: {}, sha256: '', written_by: id('sub_', 1), written_at: t(-10), sent_by: '', announced: false },
  ],
  signatures: [],
  reports: [{ version: 1, kind: 'first', sections: [], markdown: '# 个人信息安全事件报告\n\n## 一、单位名称及涉事设施、系统、平台基本情况\n\n* 单位 / Organisation: 示例云计算有限公司\n* 控制台数据库\n', sha256: 'ab', missing: ['trend', 'clues'], drafted_by: id('sub_', 1), drafted_at: t(-40), sent_by: '', reference: '' }],
}); // prettier-ignore
export const incidentTasks = (n) =>
  Array.from({ length: n }, (_, i) => ({ subject: id('sub_', i), kind: ['phone', 'letter', 'guardian'][i % 3], outcome: '', reference: '', made_at: t(-30 - i), closed_by: '' })); // prettier-ignore
export const incidentNotices = (n) =>
  Array.from({ length: Math.min(n, 2) }, (_, i) => ({ id: id('ntc_', i), title: '关于个人信息安全事件的通知', text: noticeText, at: t(-60 - i * 9000), seen_at: i ? t(-8000) : undefined })); // prettier-ignore
export const closure = {
  open: [
    { kind: 'service', id: id('svc_', 0), state: 'active' },
    { kind: 'balance', id: 'CNY', state: '12.34' },
  ],
  goes: [
    'account_person',
    'account_email',
    'account_session',
    'realname_verification',
    'notify_message',
    'vpn_gateway',
  ],
  stays: [
    { table: 'order_order', class: 'order', law: 'ECL 31', until: 'order+3y' },
    { table: 'account_login', class: 'netlog', law: 'CSL 23', until: 'day+6m' },
  ],
};

export const erasure = (done = false) => ({
  id: id('ers_', 0),
  step: done ? 'done' : 'settle',
  problem: done ? '' : 'unsettled',
  asked_at: '2026-11-02T08:00:00Z',
  due_at: '2026-11-23T16:00:00Z',
  ...(done ? { effective_at: '2026-11-02T08:03:00Z', complete_at: '2026-11-09T08:03:00Z' } : {}),
  certified: done,
});

export const erasures = (n) =>
  Array.from({ length: n }, (_, i) => ({
    ...erasure(i > 0),
    id: id('ers_', i),
    subject: id('sub_', i),
    trigger: ['asked', 'granted', 'purpose_over', 'minor'][i % 4],
    request: '',
    unsettled: i > 0 ? [] : closure.open,
    recipients: [
      { id: 'idv.aliyun', legal_name: '示例核验有限公司', told_at: '2026-11-02T08:01:00Z' },
      {
        id: 'pay.epay',
        legal_name: '示例支付有限公司',
        told_at: '2026-11-02T08:01:00Z',
        acknowledged_at: '2026-11-03T02:00:00Z',
      },
    ],
    outcomes: [
      { table: 'account_person', deleted: 1, class: '', law: '', until: '' },
      { table: 'order_order', deleted: 0, class: 'order', law: 'ECL 31', until: 'order+3y' },
    ],
  }));

export const quotas = [
  { name: 'vpn_gateways', region: 'cn-east-1', used: 3, limit: 20, settable: true },
  { name: 'ssl_gateways', used: 27, limit: 30, settable: true, asked: 40 },
  { name: 'certificates', used: 12, limit: 100, settable: true },
  { name: 'ssl_servers', resource: id('vpngw-', 0), label: long, used: 1, limit: 1 },
  {
    name: 'ssl_clients',
    resource: id('sslsrv-', 0),
    label: '远程办公',
    used: 500,
    limit: 500,
    settable: true,
  },
];
export const limits = [
  { name: 'mtu', low: 576, high: 1500, unit: 'bytes' },
  { name: 'idle_timeout', low: 60, high: 86400, unit: 's', off: true },
  { name: 'port', low: 443, high: 443 },
  { name: 'port', low: 1024, high: 65535 },
];
export const services = (n) =>
  Array.from({ length: n }, (_, i) => {
    const left = [40, 3, -2, -5, -14, 12][i % 6];
    const day = 24 * 60;
    const end = left * day;
    const past = left < 0;
    const later = [
      ['renewal_order', -7],
      ['due', 0],
      ['suspend', 3],
      ['final_notice', 14],
      ['terminate', 15],
      ['data_deleted', 22],
    ].map(([what, d]) => ({ what, at: t(end + d * day) }));
    return {
      id: id('svc_', i),
      resource: id('vpngw-', i),
      product: 'vpn-gateway',
      region: 'hk-1',
      account: id('acc_', i),
      state: left < -3 || i % 6 === 5 ? 'suspended' : 'active',
      reasons: [...(left < -3 ? ['overdue'] : []), ...(i % 6 === 5 || i === 3 ? ['abuse'] : [])],
      cycle: [1, 3, 12][i % 3],
      paid_through: t(end),
      days_left: left,
      overdue: past,
      auto_renew: i % 2 === 0,
      cancel_at_period_end: i === 1,
      locked: i === 4,
      timeline:
        i === 1
          ? [{ what: 'ends', at: t(end) }]
          : later.filter((m) => m.at > t(0) && !(i === 4 && m.what.match(/term|data/))),
    };
  });

export const serviceTerms = {
  renewal_order: 7,
  suspend: 3,
  final_notice: 14,
  terminate: 15,
  keep_data: null,
};

export const quotaRequests = (n) =>
  Array.from({ length: Math.min(n, 4) }, (_, i) => ({
    account: id('acc_', i),
    name: ['ssl_gateways', 'ssl_clients', 'vpn_gateways', 'certificates'][i],
    limit: [40, 100000, 35, 500][i],
    asked_at: t(-90 - i * 700),
  }));

export const exportCounters = (n) =>
  [
    { year: 2026, sensitive: false, people: 81230, next: 100000, alarm: true },
    { year: 2026, sensitive: true, people: 412, next: 10000, alarm: false },
    { year: 2025, sensitive: false, people: 9120, next: 10000, alarm: true },
  ].slice(0, n);

export const identities = (n) =>
  Array.from({ length: Math.min(n, 3) }, (_, i) => ({
    id: id('rnv_', i),
    state: ['manual_review', 'change_requested', 'manual_review'][i],
    reason: 'realname.no_record',
    masked_name: ['林*清', '阿*提', '欧*娜'][i],
    masked_number: `1101**********${i}23X`,
    submitted_at: t(-80 - i * 900),
    account: id('acc_', i),
    band: i === 2 ? '16-17' : '',
  }));

export const minors = (n) => ({
  unguarded: [
    { account: id('acc_', 6), cause: 'withdrew', since: t(-3000), restrict_at: t(40000), erase_at: t(126000) },
    { account: id('acc_', 7), cause: 'erased', since: t(-60000), restrict_at: t(-17000), restricted_at: t(-16900), erase_at: t(69000) },
  ].slice(0, n),
  waiting: [
    { account: id('acc_', 4), age_group: '16-17', seen_by: '', erase_at: t(9000) },
    { account: id('acc_', 5), age_group: '16-17', seen_by: id('sub_', 2), erase_at: t(3000) },
  ].slice(0, n),
  readings: [
    { id: id('mrd_', 0), subject: id('sub_', 3), reader: id('sub_', 4), reason: 'dsr_7: 监护人请求更正邮箱', asked_at: t(-12), own: false },
    { id: id('mrd_', 1), subject: id('sub_', 5), reader: id('sub_', 1), reason: '工单 TK-1042', asked_at: t(-40), own: true },
  ].slice(0, n),
  audits: [
    { year: 2025, due_at: '2026-01-31T16:00:00Z', sha256: '' },
    { year: 2024, due_at: '2025-01-31T16:00:00Z', made_at: t(-430000), sha256: 'be'.repeat(32), pack: { bands: { '≤14': 12, 15: 3, '16-17': 41 }, counts: { refused: 6, guardian_consent: 53, read: 9, read_approved: 8, read_refused: 1, erasure: 4 } } },
  ].slice(0, n),
}); // prettier-ignore

const transferStates = ['announced', 'withdrawn', 'handed_over', 'lapsed', 'effective', 'signed'];
export const successions = (n) =>
  Array.from({ length: Math.min(n, 6) }, (_, i) => ({
    id: id('suc_', i),
    successor: i % 2 ? '示例云计算（香港）有限公司' : '示例网络科技（上海）股份有限公司',
    contact: 'privacy@successor.example，上海市浦东新区示例路 1 号',
    region: 'CN-mainland',
    key: 'MCowBQYDK2VwAyEA',
    documents: ['platform'],
    change: i === 3 ? '增加用于客户关系管理的用途' : '',
    effective_at: t(9000 - i * 4000),
    state: transferStates[i],
    entered_by: id('sub_', 1),
    entered_at: t(-300 - i * 9000),
    signature: i === 0 || i === 3 ? '' : 'ab'.repeat(43),
    told_at: i ? t(-200) : undefined,
  }));
export const statement = {
  text: `skybridge-succession/v1\nsuccessor: 示例网络科技（上海）股份有限公司\nregion: CN-mainland\nplatform 1.0.0 ${'e3'.repeat(32)}\neffective: 2026-12-06T16:00:00Z\n`,
};

const column = (Name, rest) => ({ Name, Why: '', Category: '', Subject: '', Purposes: null, Basis: '', Retention: '', Sealed: false, ...rest }); // prettier-ignore
const about = (Category, Purposes, Basis, Retention, Sealed = false) => ({ Category, Subject: 'subject', Purposes, Basis, Retention, Sealed }); // prettier-ignore
export const dataMap = () => ({
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  map: { tables: [
    { Name: 'account_person', Columns: [column('subject', { Why: 'handle that says nothing of the person' }), column('user_name', about('account.name', ['account'], 'contract', 'account_core')), column('email', about('contact.email', ['account', 'verify', 'recovery', 'security', 'service_change'], 'contract', 'account_core', true))] },
    { Name: 'account_login', Columns: [column('at', { Why: 'moment of the attempt' }), column('ip', about('net.ip', ['security_audit', 'log_retention'], 'duty', 'netlog', true)), column('agent', about('net.useragent', ['security_audit'], 'duty', 'netlog', true))] },
    { Name: 'realname_verification', Columns: [column('number', about('id.number', ['realname'], 'duty', 'realname_value', true)), column('name', about('id.name', ['realname'], 'duty', 'realname_value', true)), column('state', about('id.result', ['realname'], 'duty', 'realname_result'))] },
    { Name: 'fleet_session', Columns: [column('source', about('net.ip', ['vpn_session'], 'duty', 'vpn_session', true)), column('started', about('net.session', ['vpn_session'], 'duty', 'vpn_session'))] },
    { Name: 'fleet_node', Columns: [column('id', { Why: 'names a machine of the operator' })] },
  ],
  log_keys: { account: 'id', error: 'text' }, metric_labels: { node: 'system', state: 'code' }, job_arguments: { Account: 'id' },
  gateway_messages: { source_ip: 'net.ip', serial: 'cert', bytes_in: 'net.session', mtu: 'number' }, sent: { email: 'contact.email', amount: 'number' },
  api: { user_name: 'account.name', password: 'account.secret', id: 'id' } },
}); // prettier-ignore
export const channels = (n) =>
  [
    ['service_mail', 'mailbox', 'privacy.handle', true, ''],
    ['privacy_mail', 'mailbox', 'privacy.handle', true, 'egress.not_configured'],
    ['phone', 'staff', 'privacy.handle', true, ''],
    ['ticket', '', '', false, ''],
    ['assistant', 'form', 'privacy.handle', true, ''],
    ['console', 'form', 'privacy.handle', true, ''],
    ['client', 'form', 'privacy.handle', true, ''],
    ['qq', 'form', 'privacy.handle', true, ''],
    ['dpo', 'mailbox', 'privacy.dpo', true, ''],
  ]
    .slice(0, n)
    .map(([channel, adapter, owner, printed, problem]) => ({
      id: channel, adapter, owner, printed, problem, silent: !adapter || problem !== '',
      ...(adapter ? { tried_at: secret.until, beat_at: secret.until } : {}),
    })); // prettier-ignore
export const vpnUser = {
  user_name: 'zhang.san', description: 'Branch office, second floor', state: 'enabled', client: id('sslcli-', 0), server: 'staff', gateway: 'Shanghai office',
  region: 'cn-east', host: `${id('sslsrv-', 0)}.vpn.example.com`, login_mode: 'password', two_factor: true, token_kind: 'totp', recovery_left: 8,
  serial: '3F9A0C77D1E24B5566A7B8C9D0E1F203', not_after: '2027-11-29T00:00:00Z', fixed_ip: '10.9.0.9', fixed_ip6: '', routes: ['192.168.7.0/24'],
  live_sessions: 1, created_at: '2026-05-02T03:04:05Z', session_ends_at: '2026-11-29T12:30:00Z',
}; // prettier-ignore

export const vpnActs = [
  { id: 'vact_1', kind: 'password_reset', by: 'administrator', reason: 'other', words: 'You asked by phone on Monday', at: '2026-11-28T08:00:00Z' },
  { id: 'vact_2', kind: 'secret_read', by: 'administrator', reason: '', words: '', at: '2026-11-28T08:00:05Z' },
  { id: 'vact_3', kind: 'disconnected', by: 'administrator', reason: '', words: '', at: '2026-11-20T08:00:00Z' },
]; // prettier-ignore

export const vpnReads = [
  { id: 'read_1', at: '2026-11-28T08:00:05Z', reader: 'administrator', handle: '', fields: ['vpn_client.password_sealed'], purpose: 'vpn_access', reason: 'vpn', log_index: 5 },
  { id: 'read_2', at: '2026-11-27T08:00:05Z', reader: 'system', handle: '', fields: ['vpn_client.totp_sealed'], purpose: 'vpn_access', reason: 'vpn', log_index: 4 },
]; // prettier-ignore

export const wallet = (n) => ({
  balance: cny(n ? '128.40' : '0.00'),
  gift: cny(n ? '30.00' : '0.00'),
  held: cny('0.00'),
  top_up: { open: true, min: cny('1.00'), max: cny('50000.00') },
  gifts: n ? [{ amount: cny('30.00'), expires_at: '2027-03-31T16:00:00Z' }] : [],
  lines: n
    ? [
        {
          kind: 'wallet_payment',
          purse: 'gift',
          order: id('ord_', 2),
          amount: cny('-70.00'),
          balance_after: cny('30.00'),
          at: '2026-11-29T08:00:00Z',
        },
        {
          kind: 'wallet_payment',
          purse: 'paid',
          order: id('ord_', 2),
          amount: cny('-71.60'),
          balance_after: cny('128.40'),
          at: '2026-11-29T08:00:00Z',
        },
        {
          kind: 'gift',
          purse: 'gift',
          amount: cny('100.00'),
          balance_after: cny('100.00'),
          at: '2026-11-28T03:12:00Z',
        },
        {
          kind: 'payment',
          purse: 'paid',
          amount: cny('200.00'),
          balance_after: cny('200.00'),
          at: '2026-11-27T02:00:00Z',
        },
      ]
    : [],
});

export const awaited = (n) =>
  (n ? payments(1) : []).map((p) => ({
    ...p,
    method: 'transfer-demo.transfer',
    account: id('acc_', 0),
    gateway: 'transfer-demo',
    close_confirmed: false,
    bank_reference: 'K3QZ7MWY2A',
  }));

export const transfers = (n) =>
  n
    ? [
        {
          id: id('trf_', 0),
          payment: payments(1)[0].number,
          bank_reference: '2026112900017733',
          amount: cny('1280.00'),
          received_on: '2026-11-29',
          proof: 'statement 11/29',
          reason: 'seen at the bank',
          state: 'waiting',
          entered_by: id('sub_', 4),
          entered_at: '2026-11-29T09:00:00Z',
        },
        {
          id: id('trf_', 1),
          payment: payments(1)[0].number,
          bank_reference: '2026112800012001',
          amount: cny('99.00'),
          received_on: '2026-11-28',
          proof: 'statement 11/28',
          reason: 'seen at the bank',
          state: 'booked',
          entered_by: id('sub_', 4),
          entered_at: '2026-11-28T09:00:00Z',
          confirmed_by: id('sub_', 5),
          decided_at: '2026-11-28T10:00:00Z',
          result: 'mismatch',
        },
      ]
    : [];

export const grants = (n) =>
  n
    ? [
        {
          id: id('grt_', 0),
          kind: 'goodwill',
          account: id('acc_', 0),
          amount: cny('800.00'),
          unspent: cny('0.00'),
          reason: 'outage of 12 November',
          state: 'waiting',
          entered_by: id('sub_', 4),
          entered_at: '2026-11-29T09:00:00Z',
        },
        {
          id: id('grt_', 1),
          kind: 'gift',
          account: id('acc_', 1),
          amount: cny('100.00'),
          unspent: cny('30.00'),
          expires_at: '2027-03-31T16:00:00Z',
          reason: 'new customers of autumn',
          state: 'booked',
          entered_by: id('sub_', 4),
          entered_at: '2026-11-28T03:12:00Z',
          confirmed_by: id('sub_', 4),
          decided_at: '2026-11-28T03:12:00Z',
        },
      ]
    : [];

const moved = (date, received, sold, recognised) => ({
  date,
  received: cny(received),
  topped_up: cny('200.00'),
  sold: cny(sold),
  recognised: cny(recognised),
  returned: cny('0.00'),
  fees: cny('1.20'),
  given: cny('0.00'),
});

export const bookDays = (n, to) =>
  n
    ? Array.from({ length: 14 }, (_, i) => {
        const date = new Date(Date.parse(to) - (13 - i) * 86_400_000).toISOString().slice(0, 10);
        return moved(date, `${400 + 90 * (i % 5)}.00`, `${350 + 70 * (i % 4)}.00`, `${120 + 10 * i}.00`);
      })
    : [];

const account = (code, kind, count, debit, credit, balance) => ({
  code,
  kind,
  count,
  debit: cny(debit),
  credit: cny(credit),
  balance: cny(balance),
});

export const trial = (n) =>
  n
    ? [
        account('asset:bank', 'asset', 1, '1280.00', '0.00', '1280.00'),
        account('asset:gateway:alipay', 'asset', 1, '9340.00', '0.00', '9340.00'),
        account('expense:promo', 'expense', 1, '100.00', '0.00', '100.00'),
        account('liability:deferred', 'liability', 23, '2310.00', '9500.00', '7190.00'),
        account('liability:wallet', 'liability', 11, '71.60', '1200.00', '1128.40'),
        account('liability:wallet_gift', 'liability', 1, '70.00', '100.00', '30.00'),
        account('income:sales', 'income', 1, '0.00', '2371.60', '2371.60'),
      ]
    : [];

const differs = (k, kind, state, here, there, more = {}) => ({
  id: id('dif_', k),
  gateway: 'alipay',
  day: '2026-11-28',
  kind,
  payment: payments(1)[0].number,
  trade_number: `20261128220014110${k}`,
  here: cny(here),
  there: cny(there),
  state,
  found_at: '2026-11-29T02:31:00Z',
  ...more,
});

export const differences = (n) =>
  n
    ? [
        differs(3, 'foreign', 'waiting', '0.00', '33.00', { due: cny('33.00') }),
        differs(2, 'amount', 'open', '99.00', '98.00', { due: cny('-1.00') }),
        differs(1, 'missing_there', 'open', '128.00', '0.00', { due: cny('-128.00'), here_state: 'order' }),
        differs(0, 'missing_here', 'closed', '0.00', '88.00', {
          outcome: 'taken_up',
          closed_at: '2026-11-29T02:31:05Z',
        }),
      ]
    : [];

export const difference = (n) => ({
  ...differences(n || 1)[1],
  seconded_by_you: false,
  steps: [
    {
      event: 'found',
      state: 'open',
      class: 'system',
      here: cny('99.00'),
      there: cny('98.00'),
      at: '2026-11-29T02:31:00Z',
    },
  ],
});

export const providerBills = (n) =>
  n
    ? ['29', '28', '27'].map((day, i) => ({
        id: id('bil_', i),
        gateway: 'alipay',
        day: `2026-11-${day}`,
        state: ['waiting', 'read', 'settled'][i],
        readings: i,
        problem: i ? undefined : 'payment.provider_does_not_know',
        payments: i ? 214 : 0,
        refunds: i ? 2 : 0,
        paid: cny(i ? '21186.00' : '0.00'),
        returned: cny(i ? '198.00' : '0.00'),
        fee: cny(i ? '127.12' : '0.00'),
        read_at: i ? '2026-11-29T02:31:00Z' : undefined,
        next_at: '2026-12-02T02:30:00Z',
      }))
    : [];

export const suspense = (n) =>
  n
    ? ['paid twice', 'another amount'].map((_, i) => ({
        id: id('rcp_', i),
        gateway: i ? 'wechatpay' : 'epay-demo',
        trade_number: `420000254620261128000${i}`,
        payment: payments(1)[0].number,
        amount: cny(i ? '98.00' : '620.00'),
        paid_at: '2026-11-28T07:00:00Z',
        received_at: '2026-11-28T07:00:02Z',
      }))
    : [];

export const suspenseActs = (n) =>
  n
    ? [
        {
          id: id('sus_', 0),
          receipt: id('rcp_', 0),
          kind: 'wallet',
          account: id('acc_', 0),
          amount: cny('620.00'),
          reason: 'paid_twice',
          state: 'waiting',
          entered_by: id('sub_', 4),
          entered_at: '2026-11-29T09:00:00Z',
        },
      ]
    : [];
const invoiceLine = (i) => ({
  product: 'vpn-gateway',
  product_name: 'VPN 网关',
  region: 'cn-east-1',
  region_name: '华东 1（上海）',
  options: { ssl_bandwidth: '100', ssl_connections: '50' },
  chosen: 'SSL 带宽 100 Mbit/s、SSL 连接数 50',
  months: [12, 1, 3][i % 3],
  amount: cny(['28740.00', '199.00', '597.00'][i % 3]),
});

/** Every fourth is a credit note of the one before it. */
export const invoices = (n) =>
  Array.from({ length: n }, (_, i) => {
    const back = i % 4 === 2;
    return {
      id: id(back ? 'crn_' : 'inv_', i),
      kind: back ? 'credit_note' : 'invoice',
      number: `${back ? 'CN' : 'INV'}-2026-${String(900 - i).padStart(6, '0')}`,
      state: back ? 'issued' : ['issued', 'partially_refunded', 'issued', 'refunded'][i % 4],
      order: id('ord_', i),
      order_kind: ['new', 'renew', 'upgrade'][i % 3],
      ...(back ? { refund: refund(i, 'succeeded').number, invoice: id('inv_', i - 1) } : {}),
      total: invoiceLine(i).amount,
      net: cny(['27113.21', '187.74', '563.21'][i % 3]),
      tax: cny(['1626.79', '11.26', '33.79'][i % 3]),
      tax_percent: '6%',
      credited: cny(i % 4 === 1 ? '99.50' : i % 4 === 3 ? invoiceLine(i).amount.amount : '0.00'),
      paid_at: t(-60 - i * 700),
      issued_at: t(-60 - i * 700),
      account: id('acc_', i),
    };
  });

export const invoiceDetail = (number) => {
  const all = invoices(27);
  const d = all.find((v) => v.id === number) ?? all[0];
  return {
    ...d,
    seller: {
      legal_name: '示例云科技有限公司（演示，并非真实主体）',
      address: '示例市示例路 1 号',
      mail: 'service@demo.invalid',
      phone: '000-0000-0000',
      tax_number: '91310000MA1FL00000',
    },
    lines: [invoiceLine(all.indexOf(d))],
    credit_notes: all.filter((v) => v.invoice === d.id).map((v) => ({ ...v, total: cny('99.50') })),
  };
};

const sum = (more, charged, credited, total) => ({
  ...more,
  count: 2,
  charged: cny(charged),
  credited: cny(credited),
  total: cny(total),
});
export const bills = (n) =>
  n === 0
    ? []
    : ['2026-11', '2026-10', '2026-09'].map((month) => sum({ month }, '29536.00', '-199.00', '29337.00'));
export const bill = () => ({
  ...bills(1)[0],
  orders: [
    sum({ order: id('ord_', 0) }, '28740.00', '0.00', '28740.00'),
    sum({ order: id('ord_', 1) }, '796.00', '-199.00', '597.00'),
  ],
  resources: [
    sum({ resource: id('vpngw-', 0) }, '29337.00', '0.00', '29337.00'),
    sum({}, '199.00', '-199.00', '0.00'),
  ],
  lines: invoices(6).map((d, i) => ({
    ...invoiceLine(i),
    amount: d.kind === 'credit_note' ? cny(`-${d.total.amount}`) : d.total,
    id: d.id,
    number: d.number,
    kind: d.kind,
    order: d.order,
    order_kind: d.order_kind,
    resource: id('vpngw-', i % 2),
    issued_at: d.issued_at,
  })),
});
const way = (channel, on, fixed, one_stays) => ({ channel, on, fixed, one_stays });
export const noticePreferences = {
  quiet_begins: '14:00', quiet_ends: '00:00',
  items: [
    { event: 'account.password_changed', title: '您的密码已更改', channels: [way('inbox', true, true, false), way('mail', true, true, false), way('sms', true, false, false)] },
    { event: 'order.paid', title: '订单已付款', channels: [way('inbox', true, false, true), way('mail', false, false, true)] },
    { event: 'service.expiring', title: '服务即将到期', channels: [way('inbox', true, false, true), way('mail', true, false, true), way('sms', false, false, false)] },
    { event: 'wallet.topup', title: '充值已到账', channels: [way('inbox', true, false, false), way('mail', false, false, false)] },
    { event: 'succession.changes', title: 'Another company takes over our business and needs your consent anew', channels: [way('inbox', true, true, false), way('mail', true, true, false)] },
  ],
}; // prettier-ignore
