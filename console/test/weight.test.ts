// What a cold browser loads before it shows a page: under 600 kB compressed, charts and the API page
// not counted. Builds into a directory of its own.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const out = mkdtempSync(join(tmpdir(), 'console-build-'));

beforeAll(async () => {
  const root = join(import.meta.dirname, '..');
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production'; // else React is built for development
  try {
    await build({ root, logLevel: 'silent', mode: 'production', build: { outDir: out } });
  } finally {
    process.env.NODE_ENV = before;
  }
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

const page = () => readFileSync(join(out, 'index.html'), 'utf8');
const assets = () => readdirSync(join(out, 'assets'));
const weight = (names: string[]) =>
  names.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, 'assets', name))).length, 0);

test('the first load is light', () => {
  const first = [...page().matchAll(/assets\/([\w.-]+)/g)].map((m) => m[1] ?? '');
  expect(first.length).toBeGreaterThan(1);
  expect(weight(first)).toBeLessThan(400_000);
  const beforeCharts = assets().filter((name) => !name.startsWith('chart-'));
  expect(weight(beforeCharts)).toBeLessThan(600_000);
});

test('charts come later', () => {
  expect(assets().some((name) => name.startsWith('chart-'))).toBe(true);
  expect(page()).not.toMatch(/assets\/chart-/);
});

test('the page has no inline script or style and the places that the server fills', () => {
  const html = page();
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/);
  for (const place of [
    'name="csp-nonce" content=""',
    'lang="zh-CN"',
    'data-theme="auto"',
    '<!--noscript-->',
  ]) {
    expect(html).toContain(place);
  }
  expect(readdirSync(out)).toContain('.keep');
});

test('nothing is loaded from another origin', () => {
  const named = assets()
    .filter((name) => name.endsWith('.css') || name.endsWith('.js'))
    .flatMap(
      (name) =>
        readFileSync(join(out, 'assets', name), 'utf8').match(
          /(?:@import|url\(|src=)["'(]*https?:[^"')]+/g,
        ) ?? [],
    );
  expect(named).toEqual([]);
});
