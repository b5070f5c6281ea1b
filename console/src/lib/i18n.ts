// Every word that people read is in src/locales, one file per area and language; both languages have
// the same keys, and a test holds the sources to it. Sentences for the API's error codes come from
// the API, in the language of this page.

import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Language } from './prefs';

/** The words of a language, fetched when it is first shown. */
const words: Record<Language, () => Promise<{ words: Record<string, string> }>> = {
  'zh-CN': () => import('../locales/zh-CN'),
  en: () => import('../locales/en'),
};

/** Shows the page in another language once its words are there. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation'))
    i18next.addResourceBundle(language, 'translation', (await words[language]()).words);
  await i18next.changeLanguage(language);
}

export async function startI18n(language: Language): Promise<i18n> {
  const known = await words[language]();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false, // both languages have the same keys
    resources: { [language]: { translation: known.words } },
    interpolation: { escapeValue: false }, // React escapes
    keySeparator: false, // keys are flat: `orders.title`
    nsSeparator: false,
  });
  return i18next;
}
