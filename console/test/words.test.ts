// Every word is in both languages, every key that is used exists, and no word stands in the sources.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { words as en } from '../src/locales/en';
import { words as zh } from '../src/locales/zh-CN';
import { registeredStates } from '../src/lib/states';
import { places } from '../src/lib/nav';

const root = join(import.meta.dirname, '../src');

function sources(dir = root): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return name === 'locales' ? [] : sources(path);
    return /\.tsx?$/.test(name) && name !== 'schema.d.ts' ? [path] : [];
  });
}

const bare = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"])\/\/.*$/gm, '');
const texts = sources().map((path) => ({
  path: path.slice(root.length + 1),
  text: bare(readFileSync(path, 'utf8')),
}));
const chinese: Record<string, string> = zh;
const english: Record<string, string> = en;

test('both languages have the same keys, none empty', () => {
  // English has a singular form where Chinese needs none.
  const singular = Object.keys(english).filter((k) => k.endsWith('_one') && k.slice(0, -4) in chinese);
  expect(Object.keys(english).filter((k) => !singular.includes(k) && !(k in chinese))).toEqual([]);
  expect(Object.keys(chinese).filter((k) => !(k in english))).toEqual([]);
  for (const words of [chinese, english]) {
    expect(Object.entries(words).filter(([, v]) => v.trim() === '' && v !== ' ')).toEqual([]);
  }
});

test('each word stands in one file: a second one would hide the first', () => {
  const folder = join(root, 'locales/en');
  const keys = readdirSync(folder).flatMap((f) =>
    Object.keys(JSON.parse(readFileSync(join(folder, f), 'utf8')) as Record<string, string>),
  );
  expect(keys.filter((k, i) => keys.indexOf(k) !== i)).toEqual([]);
});

test('both languages have the same parameters', () => {
  const parameters = (text = '') => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted().join();
  expect(Object.keys(chinese).filter((k) => parameters(chinese[k]) !== parameters(english[k]))).toEqual([]);
});

test('English is English and Chinese is Chinese', () => {
  const han = /\p{Script=Han}/u;
  const names = ['frame.other_language'];
  expect(Object.keys(english).filter((k) => han.test(english[k] ?? '') && !names.includes(k))).toEqual([]);
});

test('every key that is used exists', () => {
  const missing: string[] = [];
  for (const { path, text } of texts) {
    for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g)) {
      if (key && !(key in english)) missing.push(`${path}: ${key}`);
    }
    for (const [, start, more] of text.matchAll(/\bt\(\s*`([^`$]*)\$\{([^`]*)`/g)) {
      const known = Object.keys(english).some((k) => start !== undefined && k.startsWith(start));
      if (!known) missing.push(`${path}: ${start}\${${more}`);
    }
  }
  expect(missing).toEqual([]);
});

test('every key is used', () => {
  const all = texts.map((s) => s.text).join('\n');
  const starts = [...all.matchAll(/`([a-z_]+\.[\w.]*)\$\{/g)].map((m) => m[1] ?? '');
  const unused = Object.keys(english).filter((key) => {
    const plain = key.replace(/_one$/, '');
    return !all.includes(`'${plain}'`) && !starts.some((s) => key.startsWith(s));
  });
  expect(unused).toEqual([]);
});

test('every state and every place has its words', () => {
  const keys = Object.entries(registeredStates).flatMap(([kind, states]) =>
    Object.keys(states).map((state) => `state.${kind}.${state}`),
  );
  keys.push(...places.map((p) => `nav.${p.name}`));
  expect(keys.filter((k) => !(k in english))).toEqual([]);
});

test('no word stands in the sources', () => {
  const found: string[] = [];
  for (const { path, text } of texts) {
    if (/\p{Script=Han}/u.test(text.replaceAll(/'[，；]'|\[[^\]]*\]/gu, ''))) found.push(`${path}: Chinese`);
    if (!path.endsWith('.tsx')) continue;
    for (const [, words] of text.matchAll(/>\s*([A-Za-z][A-Za-z ,.'!?-]{2,})\s*<\//g))
      found.push(`${path}: ${words}`);
    for (const [, name, words] of text.matchAll(
      /\b(title|label|placeholder|aria-label|extra|alt)="([A-Za-z][^"]*)"/g,
    )) {
      if (!/^[\w.:/-]+\.example$/.test(words ?? '')) found.push(`${path}: ${name}=${words}`);
    }
  }
  expect(found).toEqual([]);
});

test('the page keeps nothing in the browser but the registered cookie', () => {
  for (const { path, text } of texts) {
    expect(text, path).not.toMatch(/localStorage|sessionStorage|indexedDB|sendBeacon/);
    expect(text, path).not.toMatch(/https?:\/\/(?!127\.0\.0\.1|localhost|\$\{|\\)[a-z0-9.-]+\.[a-z]{2,}/);
    if (path !== 'lib/settings.tsx') expect(text, path).not.toMatch(/document\.cookie/);
  }
});
