// Every operation of /api/v1 that the console calls, once. Pages know these functions, not paths; the
// paths, bodies and answers are checked against the API's description by the compiler.

import createClient from 'openapi-fetch';
import { prefix, send } from './http';
import type { paths } from './schema';
import type { Language } from '../lib/prefs';
import type * as T from './types';

const client = createClient<paths>({ baseUrl: window.location.origin, fetch: send });

/** A problem was thrown by send, so there is an answer. */
async function data<D>(answer: Promise<{ data?: D }>): Promise<NonNullable<D>> {
  return (await answer).data as NonNullable<D>;
}

export type PageQuery = { cursor?: string; limit?: number };
export type ClientQuery = NonNullable<paths['/api/v1/ssl-clients']['get']['parameters']['query']>;

const page = <Q extends PageQuery>(query?: Q) => ({ params: { query: { limit: 100, ...query } } });
const at = (id: string) => ({ params: { path: { id } } });
/** A change of what was seen in this version: refused with 412 if another came between. */
const seen = (id: string, version: number) => ({
  params: { path: { id }, header: { 'If-Match': `"${version}"` } },
});
const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });

export const api = {
  downloads: () => data(client.GET('/api/v1/downloads')),
  account: {
    register: (body: T.Registration, key: string) =>
      data(client.POST('/api/v1/accounts', { body, ...keyed(key) })),
    ageGroups: () => data(client.GET('/api/v1/age-groups')),
    stateAge: (age_group: '15' | '16-17') =>
      data(client.POST('/api/v1/age-statements', { body: { age_group } })),
    children: () => data(client.GET('/api/v1/children')),
    registerChild: (body: T.NewChild, key: string) =>
      data(client.POST('/api/v1/children', { body, ...keyed(key) })),
    leaveChild: (account: string) =>
      data(client.POST('/api/v1/children/{account}/withdrawal', { params: { path: { account } } })),
    guardianCode: () => data(client.POST('/api/v1/me/guardian-code', {})),
    takeOver: (body: T.NewGuardianship, key: string) =>
      data(client.POST('/api/v1/guardianships', { body, ...keyed(key) })),
    eraseChild: (account: string) =>
      data(client.POST('/api/v1/children/{account}/erasure', { params: { path: { account } } })),
    verifyEmail: (token: string) => data(client.POST('/api/v1/email-verifications', { body: { token } })),
    sendVerification: () => data(client.POST('/api/v1/email-verifications', { body: {} })),
    login: (body: T.Login) => data(client.POST('/api/v1/login-sessions', { body })),
    resume: () => data(client.POST('/api/v1/login-sessions/resume', {})),
    logout: () => data(client.DELETE('/api/v1/login-sessions/{id}', at('current'))),
    forgetBrowser: () => data(client.DELETE('/api/v1/login-sessions/remember', {})),
    requestReset: (email: string) => data(client.POST('/api/v1/password-resets', { body: { email } })),
    confirmReset: (token: string, password: string) =>
      data(client.POST('/api/v1/password-resets/confirm', { body: { token, password } })),
    me: () => data(client.GET('/api/v1/me')),
    contact: () => data(client.GET('/api/v1/me/contact')),
    optionalContact: () => data(client.GET('/api/v1/me/optional-contact')),
    noticePreferences: () => data(client.GET('/api/v1/me/notice-preferences')),
    setNoticePreferences: (body: T.NoticeChoices) =>
      data(client.POST('/api/v1/me/notice-preferences', { body })),
    askPhoneCode: (body: T.PhoneEntry) => data(client.POST('/api/v1/me/phone', { body })),
    confirmPhone: (code: string) => data(client.POST('/api/v1/me/phone/confirm', { body: { code } })),
    removePhone: () => data(client.DELETE('/api/v1/me/phone', {})),
    setQQ: (body: T.QQEntry) => data(client.POST('/api/v1/me/qq', { body })),
    removeQQ: () => data(client.DELETE('/api/v1/me/qq', {})),
    setPlace: (body: T.PlaceEntry) => data(client.POST('/api/v1/me/place', { body })),
    removePlace: () => data(client.DELETE('/api/v1/me/place', {})),
    changeEmail: (email: string) => data(client.POST('/api/v1/me/email', { body: { email } })),
    corrections: () => data(client.GET('/api/v1/me/corrections')),
    stepUp: (body: T.Proof) => data(client.POST('/api/v1/me/step-up', { body })),
    changePassword: (current: string, next: string) =>
      data(client.POST('/api/v1/me/password', { body: { current, next } })),
    enrolTOTP: () => data(client.POST('/api/v1/me/totp', {})),
    confirmTOTP: (code: string) => data(client.POST('/api/v1/me/totp/confirm', { body: { code } })),
    removeTOTP: (body: T.Proof) => data(client.DELETE('/api/v1/me/totp', { body })),
    sessions: (query?: PageQuery) => data(client.GET('/api/v1/login-sessions', page(query))),
    revokeSession: (id: string) => data(client.DELETE('/api/v1/login-sessions/{id}', at(id))),
    loginLog: (query?: PageQuery) => data(client.GET('/api/v1/me/login-log', page(query))),
    accessLog: (query?: PageQuery) => data(client.GET('/api/v1/me/access-log', page(query))),
    notices: (query?: PageQuery) => data(client.GET('/api/v1/notices', page(query))),
    readNotice: (id: string) => data(client.POST('/api/v1/notices/{id}/read', at(id))),
    incidentNotices: () => data(client.GET('/api/v1/me/incident-notices')),
    sawIncidentNotice: (id: string) => data(client.POST('/api/v1/me/incident-notices/{id}/seen', at(id))),
  },
  /** What a VPN user does on the page of their rights. */
  vpnUser: {
    challenge: () => data(client.POST('/api/v1/vpn-user/challenge', {})),
    enter: (body: T.VPNUserLogin) => data(client.POST('/api/v1/vpn-user/session', { body })),
    leave: () => data(client.DELETE('/api/v1/vpn-user/session', {})),
    profile: () => data(client.GET('/api/v1/vpn-user/profile')),
    sessions: (query?: PageQuery) => data(client.GET('/api/v1/vpn-user/sessions', page(query))),
    disconnect: () => data(client.POST('/api/v1/vpn-user/disconnect', {})),
    devices: () => data(client.GET('/api/v1/vpn-user/devices')),
    forgetDevice: (device: string) =>
      data(client.DELETE('/api/v1/vpn-user/devices/{device}', { params: { path: { device } } })),
    acts: () => data(client.GET('/api/v1/vpn-user/acts')),
    reads: (query?: PageQuery) => data(client.GET('/api/v1/vpn-user/reads', page(query))),
    held: () => data(client.GET('/api/v1/vpn-user/data')),
    sheet: (table: string) =>
      data(client.GET('/api/v1/vpn-user/data/{table}', { params: { path: { table } } })),
    requests: () => data(client.GET('/api/v1/vpn-user/requests')),
    request: (id: string) => data(client.GET('/api/v1/vpn-user/requests/{id}', at(id))),
    ask: (body: T.NewRightsRequest, key: string) =>
      data(client.POST('/api/v1/vpn-user/requests', { body: body as T.NewVPNUserRequest, ...keyed(key) })),
    withdrawRequest: (id: string) => data(client.POST('/api/v1/vpn-user/requests/{id}/withdraw', at(id))),
    fetchCopy: (id: string): Promise<Blob> =>
      data(client.POST('/api/v1/vpn-user/requests/{id}/copy', { ...at(id), parseAs: 'blob' })),
    erase: (user_name: string) => data(client.POST('/api/v1/vpn-user/erasure', { body: { user_name } })),
    incidentNotices: () => data(client.GET('/api/v1/vpn-user/incident-notices')),
    sawIncidentNotice: (id: string) =>
      data(client.POST('/api/v1/vpn-user/incident-notices/{id}/seen', at(id))),
  },
  privacy: {
    policies: () => data(client.GET('/api/v1/policies')),
    cookies: () => data(client.GET('/api/v1/cookies')),
    trust: () => data(client.GET('/api/v1/trust')),
    dataMap: async () => {
      const { map, sha256 } = await data(client.GET('/api/v1/privacy/datamap'));
      const { tables, ...registers } = map as { tables: T.MapTable[] } & Record<T.Register, T.Classes>;
      return { map: tables, registers: registers as Record<T.Register, T.Classes>, sha256 };
    },
    policy: (document: string, version?: string) =>
      version
        ? data(
            client.GET('/api/v1/policies/{document}/versions/{version}', {
              params: { path: { document, version } },
            }),
          )
        : data(client.GET('/api/v1/policies/{document}', { params: { path: { document } } })),
    prompt: (purpose: string) =>
      data(client.GET('/api/v1/consent-prompts/{purpose}', { params: { path: { purpose } } })),
    consents: (query?: PageQuery) => data(client.GET('/api/v1/consents', page(query))),
    decide: (body: T.ConsentAct) => data(client.POST('/api/v1/consents', { body })),
    withdraw: (purpose: string) =>
      data(client.DELETE('/api/v1/consents/{purpose}', { params: { path: { purpose } } })),
    holds: () => data(client.GET('/api/v1/me/holds')),
    disclosures: (query?: PageQuery) => data(client.GET('/api/v1/disclosures', page(query))),
    reads: (query?: PageQuery) => data(client.GET('/api/v1/reads', page(query))),
    held: () => data(client.GET('/api/v1/me/data')),
    sheet: (table: string) => data(client.GET('/api/v1/me/data/{table}', { params: { path: { table } } })),
    requests: () => data(client.GET('/api/v1/data-subject-requests')),
    request: (id: string) => data(client.GET('/api/v1/data-subject-requests/{id}', at(id))),
    ask: (body: T.NewRightsRequest, key: string) =>
      data(client.POST('/api/v1/data-subject-requests', { body, ...keyed(key) })),
    withdrawRequest: (id: string) => data(client.POST('/api/v1/data-subject-requests/{id}/withdraw', at(id))),
    fetchCopy: (id: string): Promise<Blob> =>
      data(client.POST('/api/v1/data-subject-requests/{id}/copy', { ...at(id), parseAs: 'blob' })),
    proofPack: () => data(client.GET('/api/v1/me/proof-pack')),
    makeProofPack: () => data(client.POST('/api/v1/me/proof-pack')),
    fetchProofPack: (): Promise<Blob> =>
      data(client.POST('/api/v1/me/proof-pack/download', { parseAs: 'blob' })),
    openLink: (token: string) => data(client.POST('/api/v1/request-links/open', { body: { token } })),
    sendByLink: (body: T.LinkedRequest, key: string) =>
      data(client.POST('/api/v1/request-links/use', { body, ...keyed(key) })),
    assist: (text: string, language: 'zh-CN' | 'en') =>
      data(client.POST('/api/v1/assistant/questions', { body: { text, language } })),
    arrangement: () => data(client.GET('/api/v1/me/arrangement')),
    arrange: (words: string) => data(client.POST('/api/v1/me/arrangement', { body: { words } })),
  },
  erasure: {
    plan: () => data(client.GET('/api/v1/account-closure')),
    close: (user_name: string, key: string) =>
      data(client.POST('/api/v1/account-closure', { body: { user_name }, ...keyed(key) })),
    show: (id: string) => data(client.GET('/api/v1/erasures/{id}', at(id))),
    certificate: (id: string) => `/api/v1/erasures/${encodeURIComponent(id)}/certificate`,
    list: () => data(client.GET('/api/v1/admin/erasures')),
    detail: (id: string) => data(client.GET('/api/v1/admin/erasures/{id}', at(id))),
    run: (id: string) => data(client.POST('/api/v1/admin/erasures/{id}/run', at(id))),
    settled: (id: string, paper: string) =>
      data(client.POST('/api/v1/admin/erasures/{id}/settled', { ...at(id), body: { paper } })),
    acknowledged: (id: string, recipient: string) =>
      data(
        client.POST('/api/v1/admin/erasures/{id}/recipients/{recipient}/acknowledged', {
          params: { path: { id, recipient } },
        }),
      ),
  },
  realName: {
    current: () => data(client.GET('/api/v1/real-name-verifications')),
    submit: (body: { name: string; number: string; consent_token: string }, key: string) =>
      data(client.POST('/api/v1/real-name-verifications', { body, ...keyed(key) })),
  },
  shop: {
    regions: () => data(client.GET('/api/v1/regions')),
    products: () => data(client.GET('/api/v1/products')),
    quote: (body: T.QuoteRequest) => data(client.POST('/api/v1/quotes', { body })),
    place: (body: T.OrderRequest, key: string) =>
      data(client.POST('/api/v1/orders', { body, params: { header: { 'Idempotency-Key': key } } })),
    quoteUpgrade: (resource: string, options: Record<string, string>) =>
      data(client.POST('/api/v1/upgrade-quotes', { body: { resource, options } })),
    quoteRenewal: (resource: string, cycle: number) =>
      data(client.POST('/api/v1/renewal-quotes', { body: { resource, cycle } })),
    serviceOf: (gateway: string) => data(client.GET('/api/v1/vpn-gateways/{id}/service', at(gateway))),
    setAutoRenew: (id: string, on: boolean) =>
      data(client.POST('/api/v1/services/{id}/auto-renew', { ...at(id), body: { on } })),
    setCancelAtEnd: (id: string, on: boolean) =>
      data(client.POST('/api/v1/services/{id}/cancel-at-period-end', { ...at(id), body: { on } })),
    orders: (query?: PageQuery) => data(client.GET('/api/v1/orders', page(query))),
    order: (id: string) => data(client.GET('/api/v1/orders/{id}', at(id))),
    cancel: (id: string) => data(client.POST('/api/v1/orders/{id}/cancel', at(id))),
    methods: () => data(client.GET('/api/v1/payment-methods')),
    payments: (id: string) => data(client.GET('/api/v1/orders/{id}/payments', at(id))),
    pay: (id: string, method: string, mixed: boolean, key: string) =>
      data(
        client.POST('/api/v1/orders/{id}/payments', { ...at(id), body: { method, mixed }, ...keyed(key) }),
      ),
    payFromWallet: (id: string, key: string) =>
      data(client.POST('/api/v1/orders/{id}/wallet-payment', { ...at(id), ...keyed(key) })),
    topUps: () => data(client.GET('/api/v1/wallet/top-ups')),
    topUp: (body: T.TopUpRequest, key: string) =>
      data(client.POST('/api/v1/wallet/top-ups', { body, ...keyed(key) })),
    wallet: () => data(client.GET('/api/v1/wallet')),
    invoices: (query?: PageQuery & { kind?: T.Invoice['kind']; order?: string }) =>
      data(client.GET('/api/v1/invoices', page(query))),
    invoice: (id: string, language: Language) =>
      data(client.GET('/api/v1/invoices/{id}', { params: { path: { id }, query: { language } } })),
    bills: () => data(client.GET('/api/v1/bills')),
    bill: (month: string, language: Language) =>
      data(client.GET('/api/v1/bills/month', { params: { query: { month, language } } })),
    refundOffer: (id: string) => data(client.GET('/api/v1/orders/{id}/refund-offer', at(id))),
    refunds: (id: string) => data(client.GET('/api/v1/orders/{id}/refunds', at(id))),
    askRefund: (id: string, target: T.RefundTarget, key: string) =>
      data(client.POST('/api/v1/orders/{id}/refunds', { ...at(id), body: { target }, ...keyed(key) })),
    cancelRefund: (number: string) =>
      data(client.POST('/api/v1/refunds/{number}/cancel', { params: { path: { number } } })),
    keepService: (number: string) =>
      data(client.POST('/api/v1/refunds/{number}/keep-service', { params: { path: { number } } })),
  },
  vpn: {
    networks: () => data(client.GET('/api/v1/networks')),
    gateways: (query?: PageQuery) => data(client.GET('/api/v1/vpn-gateways', page(query))),
    gateway: (id: string) => data(client.GET('/api/v1/vpn-gateways/{id}', at(id))),
    changeGateway: (id: string, version: number, body: T.GatewayPatch) =>
      data(client.PATCH('/api/v1/vpn-gateways/{id}', { ...seen(id, version), body })),
    release: (id: string, force: boolean) =>
      data(client.DELETE('/api/v1/vpn-gateways/{id}', { params: { path: { id }, query: { force } } })),
    quotas: () => data(client.GET('/api/v1/quotas')),
    askQuota: (body: T.QuotaAsk) => data(client.POST('/api/v1/quota-requests', { body })),
    limits: () => data(client.GET('/api/v1/limits')),
    traffic: (id: string, hours: number) =>
      data(client.GET('/api/v1/vpn-gateways/{id}/traffic', { params: { path: { id }, query: { hours } } })),
    servers: (query?: PageQuery) => data(client.GET('/api/v1/ssl-servers', page(query))),
    server: (id: string) => data(client.GET('/api/v1/ssl-servers/{id}', at(id))),
    createServer: (body: T.SSLServerRequest, key: string) =>
      data(client.POST('/api/v1/ssl-servers', { body, ...keyed(key) })),
    changeServer: (id: string, version: number, body: T.SSLServerPatch) =>
      data(client.PATCH('/api/v1/ssl-servers/{id}', { ...seen(id, version), body })),
    blockedCertificates: (id: string) =>
      data(client.GET('/api/v1/ssl-servers/{id}/blocked-certificates', at(id))),
    blockCertificate: (id: string, body: T.CertificateBlock, key: string) =>
      data(client.POST('/api/v1/ssl-servers/{id}/blocked-certificates', { ...at(id), body, ...keyed(key) })),
    unblockCertificate: (id: string, block: string) =>
      data(
        client.DELETE('/api/v1/ssl-servers/{id}/blocked-certificates/{block}', {
          params: { path: { id, block } },
        }),
      ),
    deleteServer: (id: string) => data(client.DELETE('/api/v1/ssl-servers/{id}', at(id))),
    clients: (query?: PageQuery & ClientQuery) => data(client.GET('/api/v1/ssl-clients', page(query))),
    client: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}', at(id))),
    clientUsage: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}/usage', at(id))),
    createClient: (body: T.SSLClientRequest, key: string) =>
      data(client.POST('/api/v1/ssl-clients', { body, ...keyed(key) })),
    checkClients: (server: string, csv: string) =>
      data(client.POST('/api/v1/ssl-clients/batch', { body: { server, csv, dry_run: true } })),
    createClients: (server: string, csv: string, key: string) =>
      data(client.POST('/api/v1/ssl-clients/batch', { body: { server, csv }, ...keyed(key) })),
    /** Where the browser downloads the table to fill in. */
    batchTemplate: `${prefix}/ssl-clients/batch-template`,
    changeClient: (id: string, version: number, body: T.SSLClientPatch) =>
      data(client.PATCH('/api/v1/ssl-clients/{id}', { ...seen(id, version), body })),
    deleteClient: (id: string) => data(client.DELETE('/api/v1/ssl-clients/{id}', at(id))),
    /** Where the browser downloads the bundle. */
    bundle: (id: string) => `${prefix}/ssl-clients/${encodeURIComponent(id)}/bundle`,
    secret: (id: string) => data(client.POST('/api/v1/ssl-clients/{id}/secret', at(id))),
    resetPassword: (id: string, why: T.ResetReason) =>
      data(client.POST('/api/v1/ssl-clients/{id}/reset-password', { ...at(id), body: why })),
    reissueCertificate: (id: string, body: T.Reissue, key: string) =>
      data(client.POST('/api/v1/ssl-clients/{id}/reissue-certificate', { ...at(id), body, ...keyed(key) })),
    certificates: (query?: PageQuery & { type?: T.Certificate['type']; client?: string }) =>
      data(client.GET('/api/v1/certificates', page(query))),
    certificate: (id: string) => data(client.GET('/api/v1/certificates/{id}', at(id))),
    uploadCertificate: (body: T.CertificateUpload, key: string) =>
      data(client.POST('/api/v1/certificates', { body, ...keyed(key) })),
    renameCertificate: (id: string, name: string, version: number) =>
      data(client.PATCH('/api/v1/certificates/{id}', { ...seen(id, version), body: { name } })),
    describeCertificate: (id: string, description: string, version: number) =>
      data(client.PATCH('/api/v1/certificates/{id}', { ...seen(id, version), body: { description } })),
    deleteCertificate: (id: string) => data(client.DELETE('/api/v1/certificates/{id}', at(id))),
    revokeCertificate: (id: string) => data(client.POST('/api/v1/certificates/{id}/revoke', at(id))),
    /** Where the browser downloads a certificate. */
    certificateFile: (id: string, form: 'pem' | 'der' | 'zip') =>
      `${prefix}/certificates/${encodeURIComponent(id)}/download?format=${form}`,
    resetToken: (id: string, why: T.ResetReason) =>
      data(client.POST('/api/v1/ssl-clients/{id}/reset-totp', { ...at(id), body: why })),
    recoveryCodes: (id: string) => data(client.POST('/api/v1/ssl-clients/{id}/recovery-codes', at(id))),
    inviteToken: (id: string) => data(client.POST('/api/v1/ssl-clients/{id}/token-invitation', at(id))),
    openEnrolment: (token: string) => data(client.POST('/api/v1/token-enrolments', { body: { token } })),
    confirmEnrolment: (token: string, code: string) =>
      data(client.POST('/api/v1/token-enrolments/confirm', { body: { token, code } })),
    bundleLink: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}/bundle-link', at(id))),
    connectLink: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}/connect-link', at(id))),
    makeBundleLink: (id: string, hours: number) =>
      data(client.POST('/api/v1/ssl-clients/{id}/bundle-link', { ...at(id), body: { hours } })),
    revokeBundleLink: (id: string) => data(client.DELETE('/api/v1/ssl-clients/{id}/bundle-link', at(id))),
    fetchBundle: (token: string): Promise<Blob> =>
      data(client.POST('/api/v1/bundle-downloads', { body: { token }, parseAs: 'blob' })),
    locks: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}/locks', at(id))),
    unlock: (id: string) => data(client.POST('/api/v1/ssl-clients/{id}/unlock', at(id))),
    devices: (id: string) => data(client.GET('/api/v1/ssl-clients/{id}/devices', at(id))),
    approveDevice: (id: string, device: string) =>
      data(
        client.POST('/api/v1/ssl-clients/{id}/devices/{device}/approve', {
          params: { path: { id, device } },
        }),
      ),
    refuseDevice: (id: string, device: string) =>
      data(
        client.POST('/api/v1/ssl-clients/{id}/devices/{device}/refuse', { params: { path: { id, device } } }),
      ),
    forgetDevice: (id: string, device: string) =>
      data(client.DELETE('/api/v1/ssl-clients/{id}/devices/{device}', { params: { path: { id, device } } })),
    disconnectClient: (id: string) => data(client.POST('/api/v1/ssl-clients/{id}/disconnect', at(id))),
    sessions: (query?: PageQuery & { live?: boolean; gateway?: string; client?: string }) =>
      data(client.GET('/api/v1/vpn-sessions', page(query))),
    serverSessions: (id: string, query?: PageQuery & { live?: boolean }) =>
      data(
        client.GET('/api/v1/ssl-servers/{id}/sessions', {
          params: { ...at(id).params, ...page(query).params },
        }),
      ),
    endSession: (id: string) => data(client.DELETE('/api/v1/vpn-sessions/{id}', at(id))),
  },
  ticket: {
    mine: () => data(client.GET('/api/v1/tickets')),
    create: (body: T.NewTicket, key: string) => data(client.POST('/api/v1/tickets', { body, ...keyed(key) })),
    one: (id: string) => data(client.GET('/api/v1/tickets/{id}', at(id))),
    reply: (id: string, words: string, key: string) =>
      data(client.POST('/api/v1/tickets/{id}/messages', { ...at(id), body: { words }, ...keyed(key) })),
    close: (id: string) => data(client.POST('/api/v1/tickets/{id}/close', at(id))),
    attach: (id: string, body: T.NewTicketFile) =>
      data(client.POST('/api/v1/tickets/{id}/files', { ...at(id), body })),
    file: (id: string, file: string): Promise<Blob> =>
      data(
        client.GET('/api/v1/tickets/{id}/files/{file}', { params: { path: { id, file } }, parseAs: 'blob' }),
      ),
  },
  ticketDesk: {
    queue: (query: { closed?: boolean; department?: T.Department; mine?: boolean }) =>
      data(client.GET('/api/v1/admin/tickets', { params: { query } })),
    one: (id: string) => data(client.GET('/api/v1/admin/tickets/{id}', at(id))),
    claim: (id: string) => data(client.POST('/api/v1/admin/tickets/{id}/claim', at(id))),
    hold: (id: string) => data(client.POST('/api/v1/admin/tickets/{id}/hold', at(id))),
    resume: (id: string) => data(client.POST('/api/v1/admin/tickets/{id}/resume', at(id))),
    resolve: (id: string) => data(client.POST('/api/v1/admin/tickets/{id}/resolve', at(id))),
    sort: (id: string, body: T.TicketSorting) =>
      data(client.PATCH('/api/v1/admin/tickets/{id}', { ...at(id), body })),
    handOver: (id: string, kind: T.RightsKind) =>
      data(
        client.POST('/api/v1/admin/tickets/{id}/handover', {
          ...at(id),
          body: { kind: kind as Exclude<T.RightsKind, 'misuse'> },
        }),
      ),
    qq: (id: string) => data(client.POST('/api/v1/admin/tickets/{id}/qq', at(id))),
    answer: (id: string, words: string, key: string) =>
      data(client.POST('/api/v1/admin/tickets/{id}/messages', { ...at(id), body: { words }, ...keyed(key) })),
    note: (id: string, words: string, key: string) =>
      data(client.POST('/api/v1/admin/tickets/{id}/notes', { ...at(id), body: { words }, ...keyed(key) })),
    attach: (id: string, body: T.NewTicketFile) =>
      data(client.POST('/api/v1/admin/tickets/{id}/files', { ...at(id), body })),
    file: (id: string, file: string): Promise<Blob> =>
      data(
        client.GET('/api/v1/admin/tickets/{id}/files/{file}', {
          params: { path: { id, file } },
          parseAs: 'blob',
        }),
      ),
    release: (id: string, file: string) =>
      data(
        client.POST('/api/v1/admin/tickets/{id}/files/{file}/release', { params: { path: { id, file } } }),
      ),
    canned: () => data(client.GET('/api/v1/admin/canned-replies')),
    keep: (body: T.CannedReply, key: string) =>
      data(client.POST('/api/v1/admin/canned-replies', { body, ...keyed(key) })),
    change: (id: string, body: T.CannedReply) =>
      data(client.PATCH('/api/v1/admin/canned-replies/{id}', { ...at(id), body })),
    drop: (id: string) => data(client.DELETE('/api/v1/admin/canned-replies/{id}', at(id))),
  },
  admin: {
    users: (query?: PageQuery) => data(client.GET('/api/v1/admin/users', page(query))),
    orders: (query?: PageQuery) => data(client.GET('/api/v1/admin/orders', page(query))),
    retryOrder: (id: string) => data(client.POST('/api/v1/admin/orders/{id}/retry', at(id))),
    payments: (query?: PageQuery) => data(client.GET('/api/v1/admin/payments', page(query))),
    suspense: (query?: PageQuery) => data(client.GET('/api/v1/admin/receipts-in-suspense', page(query))),
    settleSuspense: (id: string, body: T.SuspenseRequest, key: string) =>
      data(client.POST('/api/v1/admin/receipts-in-suspense/{id}/settle', { ...at(id), body, ...keyed(key) })),
    suspenseActs: (query?: PageQuery) => data(client.GET('/api/v1/admin/suspense-acts', page(query))),
    decideSuspense: (id: string, verdict: T.Verdict) =>
      data(client.POST('/api/v1/admin/suspense-acts/{id}/decision', { ...at(id), body: { verdict } })),
    bills: (query?: PageQuery) => data(client.GET('/api/v1/admin/provider-bills', page(query))),
    readBill: (id: string) => data(client.POST('/api/v1/admin/provider-bills/{id}/read', at(id))),
    bringStatement: (gateway: string, body: T.StatementRequest) =>
      data(
        client.POST('/api/v1/admin/payment-gateways/{gateway}/statements', {
          params: { path: { gateway } },
          body,
        }),
      ),
    differences: (
      query?: PageQuery & { state?: T.Difference['state']; kind?: T.Difference['kind']; day?: string },
    ) => data(client.GET('/api/v1/admin/differences', page(query))),
    difference: (id: string) => data(client.GET('/api/v1/admin/differences/{id}', at(id))),
    differenceAct: (id: string, act: 'explain' | 'propose', reason: string) =>
      data(client.POST(`/api/v1/admin/differences/{id}/${act}`, { ...at(id), body: { reason } })),
    decideDifference: (id: string, verdict: T.Verdict) =>
      data(client.POST('/api/v1/admin/differences/{id}/decision', { ...at(id), body: { verdict } })),
    nodes: () => data(client.GET('/api/v1/admin/gateway-nodes')),
    drainNode: (id: string, draining: boolean) =>
      data(client.PATCH('/api/v1/admin/gateway-nodes/{id}', { ...at(id), body: { draining } })),
    awaitedTransfers: () => data(client.GET('/api/v1/admin/awaited-transfers')),
    transfers: (query?: PageQuery) => data(client.GET('/api/v1/admin/bank-transfers', page(query))),
    enterTransfer: (body: T.BankTransferRequest, key: string) =>
      data(client.POST('/api/v1/admin/bank-transfers', { body, ...keyed(key) })),
    decideTransfer: (id: string, verdict: T.Verdict) =>
      data(client.POST('/api/v1/admin/bank-transfers/{id}/decision', { ...at(id), body: { verdict } })),
    grants: (query?: PageQuery) => data(client.GET('/api/v1/admin/grants', page(query))),
    give: (body: T.GrantRequest, key: string) =>
      data(client.POST('/api/v1/admin/grants', { body, ...keyed(key) })),
    decideGrant: (id: string, verdict: T.Verdict) =>
      data(client.POST('/api/v1/admin/grants/{id}/decision', { ...at(id), body: { verdict } })),
    invoices: (query?: PageQuery & T.InvoiceFilter) =>
      data(client.GET('/api/v1/admin/invoices', page(query))),
    invoice: (id: string, language: Language) =>
      data(client.GET('/api/v1/admin/invoices/{id}', { params: { path: { id }, query: { language } } })),
    refunds: (query?: PageQuery & { state?: T.RefundWanted; gateway?: string; day?: string }) =>
      data(client.GET('/api/v1/admin/refunds', page(query))),
    refund: (number: string) =>
      data(client.GET('/api/v1/admin/refunds/{number}', { params: { path: { number } } })),
    askRefund: (id: string, body: { target: T.RefundTarget; whole: boolean; reason: string }, key: string) =>
      data(client.POST('/api/v1/admin/orders/{id}/refunds', { ...at(id), body, ...keyed(key) })),
    refundAct: (number: string, act: 'approve' | 'retry' | 'to-wallet' | 'abandon') =>
      data(client.POST(`/api/v1/admin/refunds/{number}/${act}`, { params: { path: { number } } })),
    rejectRefund: (number: string, reason: string) =>
      data(
        client.POST('/api/v1/admin/refunds/{number}/reject', {
          params: { path: { number } },
          body: { reason },
        }),
      ),
    settleRefund: (number: string, outcome: 'paid_back' | 'not_paid_back') =>
      data(
        client.POST('/api/v1/admin/refunds/{number}/settle', {
          params: { path: { number } },
          body: { outcome },
        }),
      ),
    queryRefund: (number: string) =>
      data(client.POST('/api/v1/admin/refunds/{number}/query', { params: { path: { number } } })),
    trialBalance: (day: string) =>
      data(client.GET('/api/v1/admin/books/trial-balance', { params: { query: { day } } })),
    bookDays: (from: string, to: string) =>
      data(client.GET('/api/v1/admin/books/days', { params: { query: { from, to } } })),
    services: (watch: T.ServiceWatch, query?: PageQuery) =>
      data(client.GET('/api/v1/admin/services', { params: { query: { ...query, watch } } })),
    service: (id: string) => data(client.GET('/api/v1/admin/services/{id}', at(id))),
    suspendService: (id: string, reason: T.ServiceReason['reason']) =>
      data(client.POST('/api/v1/admin/services/{id}/suspend', { ...at(id), body: { reason } })),
    resumeService: (id: string, reason: T.ServiceReason['reason']) =>
      data(client.POST('/api/v1/admin/services/{id}/resume', { ...at(id), body: { reason } })),
    lockService: (id: string, on: boolean) =>
      data(client.POST('/api/v1/admin/services/{id}/lock', { ...at(id), body: { on } })),
    serviceTerms: () => data(client.GET('/api/v1/admin/service-terms')),
    setServiceTerm: (body: T.ServiceTerm) => data(client.POST('/api/v1/admin/service-terms', { body })),
    quotaRequests: () => data(client.GET('/api/v1/admin/quota-requests')),
    decideQuota: (body: T.QuotaDecision) => data(client.POST('/api/v1/admin/quotas', { body })),
    exportCounters: () => data(client.GET('/api/v1/admin/export-counters')),
    realNameReviews: () => data(client.GET('/api/v1/admin/real-name-verifications')),
    revealRealName: (id: string, reason: string) =>
      data(client.POST('/api/v1/admin/real-name-verifications/{id}/reveal', { ...at(id), body: { reason } })),
    decideRealName: (id: string, body: { approve: boolean; reason: string }) =>
      data(client.POST('/api/v1/admin/real-name-verifications/{id}/decision', { ...at(id), body })),
    successions: () => data(client.GET('/api/v1/admin/successions')),
    announceSuccession: (body: T.NewTransfer) =>
      data(client.POST('/api/v1/admin/successions', { body: body as T.BusinessTransfer })),
    successionStatement: (id: string) => data(client.GET('/api/v1/admin/successions/{id}/statement', at(id))),
    signSuccession: (id: string, signature: string) =>
      data(client.POST('/api/v1/admin/successions/{id}/sign', { ...at(id), body: { signature } })),
    withdrawSuccession: (id: string) => data(client.POST('/api/v1/admin/successions/{id}/withdraw', at(id))),
    handOver: (id: string) => data(client.POST('/api/v1/admin/successions/{id}/hand-over', at(id))),
    policies: (query?: PageQuery) => data(client.GET('/api/v1/admin/policies', page(query))),
    previewPolicy: ({ document, major, effective_at }: Omit<T.PolicyDraft, 'sha256'>) =>
      data(
        client.GET('/api/v1/admin/policies/{document}/draft', {
          params: { path: { document }, query: { major, effective_at } },
        }),
      ),
    publishPolicy: (body: T.PolicyDraft) => data(client.POST('/api/v1/admin/policies', { body })),
    audit: (query?: PageQuery) => data(client.GET('/api/v1/admin/audit-log', page(query))),
    checkpoint: () => data(client.GET('/api/v1/admin/audit-log/checkpoint')),
    verifyAudit: () => data(client.POST('/api/v1/admin/audit-log/verify')),
    retentionRuns: (query?: PageQuery) => data(client.GET('/api/v1/admin/retention-runs', page(query))),
    minors: () => data(client.GET('/api/v1/admin/minors')),
    seeWithdrawal: (account: string, sha256: string) =>
      data(
        client.POST('/api/v1/admin/minors/{account}/withdrawal', {
          params: { path: { account } },
          body: { sha256 },
        }),
      ),
    seeWrittenConsent: (account: string, sha256: string) =>
      data(
        client.POST('/api/v1/admin/minors/{account}/written-consent', {
          params: { path: { account } },
          body: { sha256 },
        }),
      ),
    approveMinorReading: (id: string) =>
      data(client.POST('/api/v1/admin/minor-readings/{id}/approve', at(id))),
    makeMinorAudit: (year: number) =>
      data(client.POST('/api/v1/admin/minor-audits/{year}', { params: { path: { year } } })),
    holds: () => data(client.GET('/api/v1/admin/holds')),
    placeHold: (body: T.NewHold) => data(client.POST('/api/v1/admin/holds', { body })),
    retentionClasses: () => data(client.GET('/api/v1/admin/retention-classes')),
    requests: (closed: boolean) =>
      data(client.GET('/api/v1/admin/data-subject-requests', { params: { query: { closed } } })),
    request: (id: string) => data(client.GET('/api/v1/admin/data-subject-requests/{id}', at(id))),
    takeRequest: (body: T.TakenRequest, key: string) =>
      data(client.POST('/api/v1/admin/data-subject-requests', { body, ...keyed(key) })),
    channels: () => data(client.GET('/api/v1/admin/intake-channels')),
    tryChannel: (id: string) => data(client.POST('/api/v1/admin/intake-channels/{id}/try', at(id))),
    requestLink: () => data(client.POST('/api/v1/admin/request-links')),
    classify: (id: string, kind: T.LinkedRequest['kind']) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/classify', { ...at(id), body: { kind } })),
    askIdentity: (id: string) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/ask-identity', at(id))),
    identified: (id: string) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/identified', at(id))),
    carried: (id: string) => data(client.POST('/api/v1/admin/data-subject-requests/{id}/carried', at(id))),
    extend: (id: string, reason: T.SpecialReason) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/special', { ...at(id), body: { reason } })),
    answer: (id: string, body: T.RightsAnswer) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/answer', { ...at(id), body })),
    previewLetter: (id: string, body: T.RightsAnswer) =>
      data(client.POST('/api/v1/admin/data-subject-requests/{id}/letter-preview', { ...at(id), body })),
    arrangement: (id: string, user_name: string) =>
      data(
        client.POST('/api/v1/admin/data-subject-requests/{id}/arrangement', {
          ...at(id),
          body: { user_name },
        }),
      ),
    staff: () => data(client.GET('/api/v1/admin/staff')),
    giveRole: (name: string, role: T.StaffRole['role']) =>
      data(client.POST('/api/v1/admin/staff/{name}/roles', { params: { path: { name } }, body: { role } })),
    takeRole: (name: string, role: T.StaffRole['role']) =>
      data(client.DELETE('/api/v1/admin/staff/{name}/roles/{role}', { params: { path: { name, role } } })),
    readStops: () => data(client.GET('/api/v1/admin/read-stops')),
    releaseReadStop: (id: string, reason: string) =>
      data(client.POST('/api/v1/admin/read-stops/{id}/release', { ...at(id), body: { reason } })),
    corrections: () => data(client.GET('/api/v1/admin/corrections')),
    correctionTold: (id: string, receipt: string) =>
      data(client.POST('/api/v1/admin/corrections/{id}/told', { ...at(id), body: { receipt } })),
    correctRealName: (body: T.RealNameCorrection) =>
      data(client.POST('/api/v1/admin/real-name-corrections', { body })),
    trainings: () => data(client.GET('/api/v1/admin/trainings')),
    needs: () => data(client.GET('/api/v1/admin/agreement-needs')),
    agreements: () => data(client.GET('/api/v1/admin/agreements')),
    recordAgreement: (body: T.Agreement, key: string) =>
      data(client.POST('/api/v1/admin/agreements', { body, ...keyed(key) })),
    assessments: () => data(client.GET('/api/v1/admin/impact-assessments')),
    recordAssessment: (body: T.Assessment, key: string) =>
      data(client.POST('/api/v1/admin/impact-assessments', { body, ...keyed(key) })),
    legalOrders: () => data(client.GET('/api/v1/admin/legal-orders')),
    enterLegalOrder: (body: T.NewLegalOrder) => data(client.POST('/api/v1/admin/legal-orders', { body })),
    approveLegalOrder: (id: string) => data(client.POST('/api/v1/admin/legal-orders/{id}/approve', at(id))),
    refuseLegalOrder: (id: string) => data(client.POST('/api/v1/admin/legal-orders/{id}/refuse', at(id))),
    executeLegalOrder: (id: string) =>
      data(client.POST('/api/v1/admin/legal-orders/{id}/execute', { ...at(id), body: {} })),
    legalOrderScan: (id: string) => data(client.GET('/api/v1/admin/legal-orders/{id}/scan', at(id))),
    legalOrderPackage: (id: string) => data(client.GET('/api/v1/admin/legal-orders/{id}/package', at(id))),
    endHold: (id: string) => data(client.POST('/api/v1/admin/holds/{id}/end', at(id))),
  },
  incident: {
    all: () => data(client.GET('/api/v1/admin/incidents')),
    one: (id: string) => data(client.GET('/api/v1/admin/incidents/{id}', at(id))),
    open: (body: T.NewIncident, key: string) =>
      data(client.POST('/api/v1/admin/incidents', { body, ...keyed(key) })),
    raise: (id: string, grade: 'large' | 'major' | 'extreme') =>
      data(client.POST('/api/v1/admin/incidents/{id}/grade', { ...at(id), body: { grade } })),
    write: (id: string, body: T.IncidentNoticeDraft) =>
      data(client.POST('/api/v1/admin/incidents/{id}/notice', { ...at(id), body })),
    send: (id: string) => data(client.POST('/api/v1/admin/incidents/{id}/send-notice', at(id))),
    announce: (id: string) => data(client.POST('/api/v1/admin/incidents/{id}/announce', at(id))),
    sign: (id: string, reason: string) =>
      data(client.POST('/api/v1/admin/incidents/{id}/signatures', { ...at(id), body: { reason } })),
    tasks: (id: string, query?: PageQuery) =>
      data(
        client.GET('/api/v1/admin/incidents/{id}/tasks', {
          params: { path: { id }, query: { limit: 100, ...query } },
        }),
      ),
    closeTask: (id: string, body: T.IncidentTaskResult) =>
      data(client.POST('/api/v1/admin/incidents/{id}/tasks', { ...at(id), body })),
    facts: (id: string, facts: Record<string, string>) =>
      data(client.POST('/api/v1/admin/incidents/{id}/facts', { ...at(id), body: { facts } })),
    draft: (id: string, kind: T.IncidentReport['kind']) =>
      data(client.POST('/api/v1/admin/incidents/{id}/reports', { ...at(id), body: { kind } })),
    reported: (id: string, version: number, body: { sent_at: string; reference?: string }) =>
      data(
        client.POST('/api/v1/admin/incidents/{id}/reports/{version}/sent', {
          params: { path: { id, version: String(version) } },
          body,
        }),
      ),
    handled: (id: string) => data(client.POST('/api/v1/admin/incidents/{id}/handled', at(id))),
    close: (id: string) => data(client.POST('/api/v1/admin/incidents/{id}/close', at(id))),
  },
};
