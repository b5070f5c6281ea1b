// The words on the page, from the console's own catalogues: the test finds things as a person
// does, by what they are called, and follows when a word is changed.

import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../console/src/locales/', import.meta.url);

function catalogue(language) {
  const all = {};
  for (const file of readdirSync(new URL(`${language}/`, folder))) {
    Object.assign(all, JSON.parse(readFileSync(new URL(`${language}/${file}`, folder), 'utf8')));
  }
  return all;
}

const english = catalogue('en');

function words(key) {
  if (english[key] === undefined) throw new Error(`the console has no words for ${key}`);
  return english[key];
}

/** The English words of a key, with its parameters filled in. */
export function t(key, parameters = {}) {
  return words(key).replace(/\{\{(\w+)\}\}/g, (_, name) => parameters[name] ?? '');
}

/** The words of a key up to its first parameter, as a pattern. */
export function like(key) {
  return new RegExp(words(key).split('{{')[0].replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
