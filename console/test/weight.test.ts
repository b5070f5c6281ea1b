// What a cold browser loads before it shows a page: under 600 kB compressed, whichever page it is;
// charts come later. Builds into a directory of its own.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const out = mkdtempSync(join(tmpdir(), 'console-build-'));

interface Chunk {
  fileName: string;
  isEntry: boolean;
  imports: string[];
  dynamicImports: string[];
}
const chunks = new Map<string, Chunk>();

beforeAll(async () => {
  const root = join(import.meta.dirname, '..');
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production'; // else React is built for development
  try {
    const built = await build({ root, logLevel: 'silent', mode: 'production', build: { outDir: out } });
    for (const { output } of [built].flat() as { output: ({ type: string } & Chunk)[] }[])
      for (const one of output) if (one.type === 'chunk') chunks.set(one.fileName, one);
  } finally {
    process.env.NODE_ENV = before;
  }
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

const page = () => readFileSync(join(out, 'index.html'), 'utf8');
const assets = () => readdirSync(join(out, 'assets'));
const weight = (names: Iterable<string>) =>
  [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(out, name))).length, 0);

// A chunk with all that it imports before it runs.
function whole(name: string, all = new Set<string>()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  chunks.get(name)?.imports.forEach((next) => whole(next, all));
  return all;
}

test('the first load is light, whichever page it is', () => {
  const first = [...page().matchAll(/assets\/[\w.-]+/g)].map(([name]) => name);
  expect(first.length).toBeGreaterThan(1);
  expect(weight(first)).toBeLessThan(400_000);
  const entries = [...chunks.values()].filter((c) => c.isEntry);
  const pages = entries.flatMap((c) => c.dynamicImports);
  expect(pages.length).toBeGreaterThan(20);
  const heavy = pages
    .map(
      (name) =>
        [
          name,
          weight(whole(name, new Set([...first, ...entries.flatMap((c) => [...whole(c.fileName)])]))),
        ] as const,
    )
    .filter(([, bytes]) => bytes >= 600_000);
  expect(heavy).toEqual([]);
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
