// Debian's Chromium, driven by playwright-core out of the console's own packages.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { base, workDir } from './environment.mjs';
import { lead, ports, socketOf } from './ports.mjs';

const require = createRequire(new URL('../../console/package.json', import.meta.url));
const { chromium } = require('playwright-core');
export const { AxeBuilder } = require('@axe-core/playwright');

const flags = [
  '--no-sandbox', // the tests run as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let led;
async function leadAll() {
  for (const port of ports) await lead({ path: socketOf(port) }, { host: '127.0.0.1', port });
}

/** Chromium's setting "block all cookies", which blocks local storage too. */
export const noCookies = { profile: { default_content_setting_values: { cookies: 2 } } };

/** A browser that nobody has used before, in a network namespace where nothing changes. */
export async function launch(preferences) {
  await (led ??= leadAll());
  const dir = mkdtempSync(join(workDir, 'browser-'));
  if (preferences) {
    mkdirSync(join(dir, 'Default'));
    writeFileSync(join(dir, 'Default', 'Preferences'), JSON.stringify(preferences));
  }
  return chromium.launchPersistentContext(dir, {
    executablePath: fileURLToPath(new URL('chromium', import.meta.url)),
    headless: true,
    args: flags,
    baseURL: base,
    ignoreHTTPSErrors: true, // a demonstration's certificate is its own
    locale: 'en-GB',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
}

/**
 * Notes whatever the page says is wrong with it: errors in its console, and requests to any other
 * origin than ours. The list is checked at the end of the walk.
 */
export function watch(page, complaints) {
  page.on('pageerror', (error) => complaints.push(`error on ${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      complaints.push(`console on ${page.url()}: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (['http:', 'https:'].includes(url.protocol) && !['127.0.0.1', 'localhost'].includes(url.hostname)) {
      complaints.push(`the page asked another origin: ${url.origin}`);
    }
  });
}

/** Sets language and theme as the page itself keeps them: in the prefs cookie. */
export function prefer(context, language, theme) {
  return context.addCookies([
    { name: 'prefs', value: `lang-${language}.theme-${theme}`, url: base, secure: true, sameSite: 'Lax' },
  ]);
}

/** Fails with what is wrong unless a condition holds. */
export function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}
