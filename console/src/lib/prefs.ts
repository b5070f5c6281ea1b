// The prefs cookie: language and theme, no identifier. It is the only cookie that the page writes,
// and the server reads its language: `lang-zh-CN.theme-dark`.

export const languages = ['zh-CN', 'en'] as const;
export type Language = (typeof languages)[number];

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export interface Prefs {
  language: Language;
  theme: Theme;
}

const year = 365 * 24 * 3600;

/** Reads preferences out of a Cookie header; what is not registered is ignored. */
export function parsePrefs(cookies: string, accepted: readonly string[]): Prefs {
  const prefs: Prefs = { language: match(accepted), theme: 'auto' };
  const value = cookies.split('; ').find((c) => c.startsWith('prefs='));
  for (const part of value?.slice('prefs='.length).split('.') ?? []) {
    const language = languages.find((l) => part === `lang-${l}`);
    const theme = themes.find((t) => part === `theme-${t}`);
    if (language) prefs.language = language;
    if (theme) prefs.theme = theme;
  }
  return prefs;
}

/** The cookie that keeps preferences for a year. */
export function prefsCookie(prefs: Prefs): string {
  return `prefs=lang-${prefs.language}.theme-${prefs.theme}; Path=/; Max-Age=${year}; Secure; SameSite=Lax`;
}

/** Removes the cookie. */
export const noPrefs = 'prefs=; Path=/; Max-Age=0; Secure; SameSite=Lax';

function match(accepted: readonly string[]): Language {
  for (const tag of accepted) {
    if (tag.toLowerCase().startsWith('zh')) return 'zh-CN';
    if (tag.toLowerCase().startsWith('en')) return 'en';
  }
  return 'zh-CN';
}
