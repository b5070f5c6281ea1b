import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { Foot } from './gate-layout';
import { Mark } from './mark';
import { LanguageButton, ThemeButton } from './tools';

/** Documents are read by anybody, signed in or not. */
export function Reading({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="frame">
      <header className="topbar">
        <Link to="/" className="brand">
          <Mark size={26} />
          {t('common.product')}
        </Link>
        <span className="grow" />
        <LanguageButton />
        <ThemeButton />
      </header>
      <main className="paper" style={{ flex: 1, width: '100%' }}>
        {children}
      </main>
      <Foot />
    </div>
  );
}
