// What each state of each thing looks like. Green, amber and red are for states only; the word beside
// the dot is the translation `state.<kind>.<state>`.

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';

const tones: Record<string, Record<string, Tone>> = {
  incident: {
    counting: 'busy',
    assessed: 'bad',
    notifying: 'busy',
    notified: 'warn',
    waived: 'warn',
    closed: 'good',
  },
  limit: { running: 'warn', met: 'good', missed: 'bad', waived: 'idle' },
  gateway: {
    creating: 'busy',
    active: 'good',
    updating: 'busy',
    frozen: 'warn',
    deleting: 'busy',
    error: 'bad',
    deleted: 'idle',
  },
  server: { creating: 'busy', active: 'good', updating: 'busy', error: 'bad', deleting: 'busy' },
  client: { enabled: 'good', locked: 'warn', disabled: 'idle', expired: 'warn' },
  device: { waiting: 'warn', approved: 'good', refused: 'bad' },
  certificate: { valid: 'good', expiring: 'warn', expired: 'bad', revoked: 'idle' },
  session: { tls: 'good', dtls: 'good', detached: 'warn', closed: 'idle' },
  order: {
    draft: 'idle',
    pending_payment: 'warn',
    paid: 'busy',
    fulfilling: 'busy',
    awaiting_review: 'warn',
    completed: 'good',
    partially_fulfilled: 'warn',
    needs_attention: 'bad',
    cancelled: 'idle',
    expired: 'idle',
    refunding: 'busy',
    partially_refunded: 'warn',
    refunded: 'idle',
  },
  ticket: {
    open: 'busy',
    in_progress: 'busy',
    awaiting_customer: 'warn',
    customer_replied: 'busy',
    on_hold: 'idle',
    resolved: 'good',
    closed: 'idle',
  },
  line: { waiting: 'busy', delivered: 'good', failed: 'bad', refunded: 'idle' },
  refund: {
    requested: 'busy',
    review: 'warn',
    approved: 'busy',
    processing: 'busy',
    unknown: 'warn',
    succeeded: 'good',
    failed: 'bad',
    rejected: 'idle',
    cancelled: 'idle',
  },
  invoice: { issued: 'good', partially_refunded: 'warn', refunded: 'idle' },
  payment: {
    created: 'busy',
    pending: 'busy',
    unknown: 'warn',
    succeeded: 'good',
    succeeded_late: 'warn',
    failed: 'bad',
    closed: 'idle',
  },
  service: {
    pending: 'idle',
    cancelled: 'idle',
    provisioning: 'busy',
    provision_failed: 'bad',
    active: 'good',
    suspended: 'warn',
    terminating: 'busy',
    terminated: 'idle',
  },
  erasure: { waits: 'warn', runs: 'busy', done: 'good' },
  drain: { serving: 'good', draining: 'warn' },
  node: { online: 'good', behind: 'busy', offline: 'bad', new: 'idle' },
  realname: {
    none: 'idle',
    verifying: 'busy',
    verified: 'good',
    manual_review: 'warn',
    unknown: 'busy',
    rejected: 'bad',
    change_requested: 'warn',
    revoked: 'idle',
  },
  consent: { grant: 'good', refuse: 'idle', withdraw: 'warn' },
  legal_order: { entered: 'warn', approved: 'busy', executed: 'good', refused: 'idle' },
  disclosure: { intent: 'busy', done: 'good', failed: 'bad', unknown: 'warn' },
  login: { ok: 'good' },
  rights: {
    received: 'busy',
    asked: 'warn',
    carrying: 'busy',
    done: 'good',
    partial: 'warn',
    refused: 'bad',
    withdrawn: 'idle',
  },
  transfer: {
    announced: 'warn',
    signed: 'busy',
    effective: 'warn',
    handing_over: 'busy',
    handed_over: 'good',
    lapsed: 'bad',
    withdrawn: 'idle',
  },
  channel: { live: 'good', silent: 'bad', unprinted: 'idle' },
  training: { live: 'good', ending: 'warn', ended: 'bad', disabled: 'idle' },
  exports: { below: 'good', near: 'bad' },
  paper: { live: 'good', ending: 'warn', ended: 'bad', missing: 'bad' },
  difference: { open: 'bad', waiting: 'warn', closed: 'idle' },
  bill: { waiting: 'warn', read: 'good', settled: 'good', absent: 'bad' },
  booking: { waiting: 'warn', booked: 'good', refused: 'idle' },
  flag: { yes: 'good', no: 'idle' },
};

export function toneOf(kind: string, state: string): Tone {
  const known = tones[kind]?.[state];
  if (known) return known;
  return kind === 'login' ? 'bad' : 'idle';
}

/** States that change by themselves: lists showing one are read again often. */
export function settling(kind: string, state: string): boolean {
  return toneOf(kind, state) === 'busy';
}

export const registeredStates = tones;
