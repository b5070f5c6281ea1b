// Language and theme of this browser, and how to change them.

import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { speak } from './i18n';
import dayjs from 'dayjs';
import { useSystemDark } from './media';
import { noPrefs, parsePrefs, prefsCookie, type Language, type Prefs, type Theme } from './prefs';

export interface Settings extends Prefs {
  dark: boolean;
  setLanguage(language: Language): void;
  setTheme(theme: Theme): void;
  /** Removes the cookie; this page keeps what it shows. */
  forgetPrefs(): void;
}

const Context = createContext<Settings | undefined>(undefined);

export function useSettings(): Settings {
  const settings = useContext(Context);
  if (!settings) throw new Error('useSettings outside of SettingsProvider');
  return settings;
}

export const initialPrefs = (): Prefs => parsePrefs(document.cookie, navigator.languages);

export function SettingsProvider({ children, initial }: { children: ReactNode; initial: Prefs }) {
  const [prefs, setPrefs] = useState(initial);
  const systemDark = useSystemDark();
  const dark = prefs.theme === 'dark' || (prefs.theme === 'auto' && systemDark);

  useEffect(() => {
    document.documentElement.lang = prefs.language;
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    dayjs.locale(prefs.language === 'zh-CN' ? 'zh-cn' : 'en');
  }, [prefs.language, dark]);

  const settings = useMemo<Settings>(() => {
    // Written only when the person chooses: looking at a page sets no cookie.
    const change = (next: Prefs) => {
      document.cookie = prefsCookie(next);
      setPrefs(next);
    };
    return {
      ...prefs,
      dark,
      setLanguage(language) {
        // The words come first: a page half in one language and half in another helps nobody.
        void speak(language).then(() => change({ ...prefs, language }), console.error);
      },
      setTheme: (theme) => change({ ...prefs, theme }),
      forgetPrefs() {
        document.cookie = noPrefs;
      },
    };
  }, [prefs, dark]);
  return <Context.Provider value={settings}>{children}</Context.Provider>;
}
