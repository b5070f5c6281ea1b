// Wire types of /api/v1, as the console uses them.

export interface Money {
  amount: string;
  currency: string;
}

export interface List<T> {
  items: T[];
  next_cursor: string;
}

/** Words in the language of the request, or in each language. */
export type Text = string | Record<string, string>;

export interface Me {
  account: string;
  user_name: string;
  email?: string;
  email_verified: boolean;
  locale?: string;
  totp: boolean;
  recovery_left?: number;
  staff: boolean;
  enrol_totp?: boolean;
  permissions: string[];
  created_at?: string;
}

export interface LoginSession {
  id: string;
  browser: string;
  os: string;
  ip: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
  mfa: boolean;
  current: boolean;
}

export interface LoginEntry {
  id?: string;
  at: string;
  ip: string;
  browser: string;
  os: string;
  method: string;
  outcome: string;
}

export interface Enrolment {
  secret: string;
  url: string;
}

export interface PolicySummary {
  document: string;
  version: string;
  title: string;
  effective_at: string;
  published_at: string;
  sha256?: string;
  change?: string;
}

export interface Policy extends PolicySummary {
  locale: string;
  html: string;
  text?: string;
  text_sha256?: string;
  versions?: PolicySummary[];
}

export interface ConsentPrompt {
  purpose: string;
  kind: string;
  document: string;
  version: string;
  title: string;
  notice: string;
  text_sha256: string;
  locale: string;
  token: string;
  expires_at: string;
  adult: boolean;
}

export interface ConsentRecord {
  id: string;
  purpose: string;
  kind: string;
  decision: string;
  document: string;
  version: string;
  locale: string;
  channel: string;
  at: string;
  receipt?: string;
}

export interface Disclosure {
  id: string;
  at: string;
  recipient: string;
  legal_name: string;
  role: string;
  region: string;
  operation: string;
  purpose: string;
  basis: string;
  mechanism: string;
  fields: string[];
  phase: string;
  ended_at?: string;
  log_index: number;
}

export interface Read {
  id: string;
  at: string;
  reader: string;
  handle: string;
  fields: string[];
  purpose: string;
  reason: string;
  log_index: number;
}

export interface Verification {
  id: string;
  state: string;
  reason: string;
  masked_name: string;
  masked_number: string;
  submitted_at: string;
  decided_at?: string;
}

export interface Region {
  id: string;
  location: string;
  name: Text;
  requires_real_name: boolean;
}

export interface OptionValue {
  value: string;
  monthly: Money;
}

export interface Offer {
  region: string;
  base: Money;
  options: { id: string; values: OptionValue[] }[];
}

export interface Product {
  id: string;
  name: Text;
  max_cycle: number;
  offers: Offer[];
}

export interface QuoteRequest {
  kind: string;
  product: string;
  region: string;
  options: Record<string, string>;
  cycle: number;
  count: number;
}

export interface QuoteItem {
  option?: string;
  value?: string;
  amount: Money;
}

export interface QuoteLine {
  number: number;
  kind: string;
  items: QuoteItem[];
  amount: Money;
}

export interface Quote {
  lines: QuoteLine[];
  total: Money;
  quote_hash: string;
  expires_at: string;
}

export interface OrderLine {
  id: string;
  number: number;
  kind: string;
  product: string;
  region: string;
  options: Record<string, string>;
  configuration?: Record<string, string>;
  cycle: number;
  amount: Money;
  state: string;
  service?: string;
  problem?: string;
}

export interface Order {
  id: string;
  kind: string;
  state: string;
  total: Money;
  lines: OrderLine[];
  placed_at: string;
  expires_at?: string;
  paid_at?: string;
  ended_at?: string;
}

export interface PaymentMethod {
  id: string;
  type: string;
  kind: string;
  min: Money;
  max: Money;
  purpose: string;
}

export interface Payment {
  number: string;
  order: string;
  method: string;
  state: string;
  amount: Money;
  created_at: string;
  expire_at: string;
  paid_at?: string;
}

export interface Instruction {
  kind: string;
  url?: string;
  fields?: Record<string, string>;
  qr?: string;
}

export interface StartedPayment {
  payment: Payment;
  instruction: Instruction;
}

export interface Wallet {
  balance: Money;
  lines: { kind: string; amount: Money; balance_after: Money; at: string }[];
}

export interface Gateway {
  id: string;
  name: string;
  region: string;
  network: string;
  state: string;
  problem?: string;
  ssl_bandwidth: number;
  ssl_connections: number;
  addresses: string[];
  version: number;
  created_at: string;
  updated_at: string;
}

export interface Network {
  id: string;
  name: string;
  region: string;
  prefixes: string[];
}

export interface SSLServerSettings {
  name: string;
  local_subnets: string[];
  pool: string;
  enable_dns: boolean;
  dns: string[];
  two_factor: boolean;
  tunnel_mode: string;
  split_dns: string[];
  exclude_routes: string[];
  mtu: number;
  dpd: number;
  mobile_dpd: number;
  keepalive: number;
  idle_timeout: number;
  session_timeout: number;
  cookie_timeout: number;
  rekey_time: number;
  max_sessions_per_client: number;
  client_isolation: boolean;
  banner: string;
  tls_min: string;
  require_certificate: boolean;
}

export interface SSLServer extends SSLServerSettings {
  id: string;
  gateway: string;
  port: number;
  udp: boolean;
  state: string;
  server_names: string[];
  pin: string;
  ca_pem: string;
  version: number;
  created_at: string;
  updated_at: string;
}

export interface SSLClient {
  id: string;
  server: string;
  gateway: string;
  name: string;
  state: string;
  up_kbps: number;
  down_kbps: number;
  fixed_ip: string;
  two_factor_exempt: boolean;
  max_sessions: number;
  expires_at?: string;
  serial: string;
  not_after: string;
  two_factor: boolean;
  secret_until: string;
  version: number;
  created_at: string;
  updated_at: string;
}

export interface ClientSecret {
  user_name: string;
  password?: string;
  totp_secret?: string;
  totp_uri?: string;
  until: string;
}

export interface VPNSession {
  id: string;
  client: string;
  gateway: string;
  source_ip: string;
  inner_ip: string;
  started_at: string;
  ended_at?: string;
  reason?: string;
  bytes_in: number;
  bytes_out: number;
  transport?: string;
}

export interface Sample {
  at: string;
  bytes_in: number;
  bytes_out: number;
  sessions: number;
}

export interface Traffic {
  step_seconds: number;
  items: Sample[];
}

export interface AdminUser {
  account: string;
  user_name: string;
  email_verified: boolean;
  totp: boolean;
  staff: boolean;
  created_at: string;
}

export interface AdminOrder extends Order {
  account: string;
}

export interface AdminPayment extends Payment {
  account?: string;
}

export interface Node {
  id: string;
  name: string;
  region: string;
  location: string;
  addresses: string[];
  version: string;
  health: string;
  generation: number;
  applied: number;
  last_seen_at?: string;
  created_at: string;
}

export interface AuditEntry {
  index: number;
  at: string;
  type: string;
  handle: string;
  commitment: string;
}

export interface AuditReport {
  ok: boolean;
  size: number;
  root: string;
  at: string;
  checkpoints: number;
  erased: number;
  problems: { code: string; index: number }[];
}
