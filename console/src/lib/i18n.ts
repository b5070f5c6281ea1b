// Every word that people read is in src/locales, one file per area and language; both languages have
// the same keys, and a test holds the sources to it. Sentences for the API's error codes come from
// the API, in the language of this page.

import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Language } from './prefs';
import { en, zh } from '../locales';

export async function startI18n(language: Language): Promise<i18n> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'zh-CN',
    resources: { 'zh-CN': { translation: zh }, en: { translation: en } },
    interpolation: { escapeValue: false }, // React escapes
    keySeparator: false, // keys are flat: `orders.title`
    nsSeparator: false,
  });
  return i18next;
}
