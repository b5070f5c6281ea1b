// What scripts/e2e.sh tells the browser test about the demonstration that it has started.
// Everything is needed: a test that cannot look fails.

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run make test-e2e`);
  return value;
};

export const base = need('E2E_URL'); // of the console and its API
export const mailbox = need('E2E_MAILBOX'); // HTTP end of the mail sink
export const namespace = need('E2E_NAMESPACE'); // network namespace of the client's machine
export const lanHost = need('E2E_LAN_HOST'); // address of a web server behind the gateway
export const nodeAddress = need('E2E_NODE'); // address on which gateways listen
export const operatorPassword = need('E2E_OPERATOR_PASSWORD');
export const auditorPassword = need('E2E_AUDITOR_PASSWORD');
export const workDir = need('E2E_DIR'); // ends with the run
export const screenshots = need('E2E_SCREENSHOTS');
export const profile = process.env.E2E_PROFILE ?? 'mainland';
