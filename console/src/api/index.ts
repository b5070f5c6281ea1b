// Every operation of /api/v1 that the console calls, once. Pages know these functions, not paths.

import { address, call, type CallOptions } from './http';
import type * as T from './types';

type Query = CallOptions['query'];

const get = <R>(path: string, query?: Query) => call<R>('GET', path, { query });
const post = <R>(path: string, body?: unknown, key?: string) => call<R>('POST', path, { body, key });
const patch = <R>(path: string, body: unknown) => call<R>('PATCH', path, { body });
const remove = (path: string, body?: unknown) => call<void>('DELETE', path, { body });
const id = encodeURIComponent;

export type PageQuery = { cursor?: string; limit?: number };

/** A list that is read in pages. */
const paged =
  <R, Q = unknown>(path: string) =>
  (query?: PageQuery & Q) =>
    get<T.List<R>>(path, { limit: 100, ...query });

/** A list that comes whole. */
const whole =
  <R>(path: string) =>
  () =>
    get<T.List<R>>(path);

export interface Registration {
  user_name: string;
  password: string;
  email: string;
  consent_token: string;
  adult: boolean;
}

export interface Login {
  user_name: string;
  password: string;
  code?: string;
  remember: boolean;
}

/** Shows again who is there, for an act that needs it. */
export interface StepUp {
  password: string;
  code: string;
}

export const api = {
  account: {
    register: (in_: Registration, key: string) => post<void>('/accounts', in_, key),
    verifyEmail: (token: string) => post<void>('/email-verifications', { token }),
    sendVerification: () => post<void>('/email-verifications', {}),
    login: (in_: Login) => post<unknown>('/login-sessions', in_),
    logout: () => remove('/login-sessions/current'),
    requestReset: (email: string) => post<void>('/password-resets', { email }),
    confirmReset: (token: string, password: string) =>
      post<void>('/password-resets/confirm', { token, password }),
    me: () => get<T.Me>('/me'),
    changePassword: (current: string, next: string) => post<void>('/me/password', { current, next }),
    enrolTOTP: () => post<T.Enrolment>('/me/totp', {}),
    confirmTOTP: (code: string) => post<{ recovery_codes: string[] }>('/me/totp/confirm', { code }),
    removeTOTP: (in_: StepUp) => remove('/me/totp', in_),
    sessions: paged<T.LoginSession>('/login-sessions'),
    revokeSession: (session: string) => remove(`/login-sessions/${id(session)}`),
    loginLog: paged<T.LoginEntry>('/me/login-log'),
  },
  privacy: {
    policies: whole<T.PolicySummary>('/policies'),
    policy: (document: string, version?: string) =>
      get<T.Policy>(`/policies/${id(document)}${version ? `/versions/${id(version)}` : ''}`),
    prompt: (purpose: string) => get<T.ConsentPrompt>(`/consent-prompts/${id(purpose)}`),
    consents: paged<T.ConsentRecord>('/consents'),
    decide: (in_: { token: string; decision: string; adult?: boolean }) => post<void>('/consents', in_),
    withdraw: (purpose: string) => remove(`/consents/${id(purpose)}`),
    disclosures: whole<T.Disclosure>('/disclosures'),
    reads: paged<T.Read>('/reads'),
  },
  realName: {
    current: whole<T.Verification>('/real-name-verifications'),
    submit: (in_: { name: string; number: string; consent_token: string }, key: string) =>
      post<T.Verification>('/real-name-verifications', in_, key),
  },
  shop: {
    regions: whole<T.Region>('/regions'),
    products: whole<T.Product>('/products'),
    quote: (in_: T.QuoteRequest) => post<T.Quote>('/quotes', in_),
    place: (
      in_: T.QuoteRequest & { quote_hash: string; configuration: Record<string, string> },
      key: string,
    ) => post<T.Order>('/orders', in_, key),
    orders: paged<T.Order>('/orders'),
    order: (order: string) => get<T.Order>(`/orders/${id(order)}`),
    cancel: (order: string) => post<T.Order>(`/orders/${id(order)}/cancel`),
    methods: whole<T.PaymentMethod>('/payment-methods'),
    payments: (order: string) => get<T.List<T.Payment>>(`/orders/${id(order)}/payments`),
    pay: (order: string, method: string, key: string) =>
      post<T.StartedPayment>(`/orders/${id(order)}/payments`, { method }, key),
    wallet: () => get<T.Wallet>('/wallet'),
  },
  vpn: {
    networks: whole<T.Network>('/networks'),
    gateways: paged<T.Gateway>('/vpn-gateways'),
    gateway: (gateway: string) => get<T.Gateway>(`/vpn-gateways/${id(gateway)}`),
    traffic: (gateway: string, hours: number) =>
      get<T.Traffic>(`/vpn-gateways/${id(gateway)}/traffic`, { hours }),
    rename: (gateway: string, name: string, version: number) =>
      patch<T.Gateway>(`/vpn-gateways/${id(gateway)}`, { name, version }),
    servers: paged<T.SSLServer>('/ssl-servers'),
    server: (server: string) => get<T.SSLServer>(`/ssl-servers/${id(server)}`),
    createServer: (in_: Partial<T.SSLServerSettings> & { gateway: string }, key: string) =>
      post<T.SSLServer>('/ssl-servers', in_, key),
    changeServer: (server: string, in_: Partial<T.SSLServerSettings> & { version?: number }) =>
      patch<T.SSLServer>(`/ssl-servers/${id(server)}`, in_),
    deleteServer: (server: string) => remove(`/ssl-servers/${id(server)}`),
    clients: paged<T.SSLClient>('/ssl-clients'),
    client: (client: string) => get<T.SSLClient>(`/ssl-clients/${id(client)}`),
    createClient: (in_: { server: string; name: string }, key: string) =>
      post<T.SSLClient>('/ssl-clients', in_, key),
    changeClient: (client: string, in_: Partial<T.SSLClient>) =>
      patch<T.SSLClient>(`/ssl-clients/${id(client)}`, in_),
    deleteClient: (client: string) => remove(`/ssl-clients/${id(client)}`),
    bundle: (client: string) => address(`/ssl-clients/${id(client)}/bundle`),
    secret: (client: string) => post<T.ClientSecret>(`/ssl-clients/${id(client)}/secret`),
    resetPassword: (client: string) => post<T.SSLClient>(`/ssl-clients/${id(client)}/reset-password`, {}),
    resetTOTP: (client: string) => post<T.SSLClient>(`/ssl-clients/${id(client)}/reset-totp`),
    disconnectClient: (client: string) => post<void>(`/ssl-clients/${id(client)}/disconnect`),
    sessions: paged<T.VPNSession, { live?: boolean; gateway?: string; client?: string }>('/vpn-sessions'),
    endSession: (session: string) => remove(`/vpn-sessions/${id(session)}`),
  },
  admin: {
    users: paged<T.AdminUser>('/admin/users'),
    orders: paged<T.AdminOrder>('/admin/orders'),
    payments: paged<T.AdminPayment>('/admin/payments'),
    nodes: whole<T.Node>('/admin/gateway-nodes'),
    policies: paged<T.PolicySummary>('/admin/policies'),
    audit: paged<T.AuditEntry>('/admin/audit-log'),
    checkpoint: () => get<{ note: string; verifier: string }>('/admin/audit-log/checkpoint'),
    verifyAudit: () => post<T.AuditReport>('/admin/audit-log/verify'),
  },
};
