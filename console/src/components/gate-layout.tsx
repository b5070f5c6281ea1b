// The frame before sign-in.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { Mark } from './mark';
import { useTitle } from './page';
import { LanguageButton, ThemeButton } from './tools';
import { useNarrow } from '../lib/media';

export function GateLayout({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  useTitle(title);
  return (
    <div className="gate">
      {narrow ? null : <Brand />}
      <div className="gate-side">
        <div className="gate-tools">
          {narrow ? (
            <Link to="/login" className="brand" style={{ marginRight: 'auto' }}>
              <Mark />
              {t('common.product')}
            </Link>
          ) : null}
          <LanguageButton />
          <ThemeButton />
        </div>
        <main className="gate-form">
          <h1>{title}</h1>
          <p className="lead">{lead}</p>
          {children}
        </main>
        <Foot />
      </div>
    </div>
  );
}

function Brand() {
  const { t } = useTranslation();
  return (
    <aside className="gate-brand">
      <Link to="/login" className="brand">
        <Mark bare size={34} />
        {t('common.product')}
      </Link>
      <h2>{t('gate.claim')}</h2>
      <ul>
        <li>{t('gate.point_open')}</li>
        <li>{t('gate.point_private')}</li>
        <li>{t('gate.point_clients')}</li>
      </ul>
      <svg className="arc" viewBox="0 0 600 240" aria-hidden="true">
        <g fill="none" stroke="#fff" strokeWidth="10" strokeLinecap="round">
          <path d="M20 200C150 -20 450 -20 580 200" />
          <path d="M190 56v190M410 56v190M0 200h600" />
        </g>
      </svg>
    </aside>
  );
}

export function Foot() {
  const { t } = useTranslation();
  return (
    <footer className="foot">
      <Link to="/policies/platform">{t('policy.platform')}</Link>
      <Link to="/policies/client">{t('policy.client')}</Link>
      <Link to="/policies">{t('policy.all')}</Link>
      <Link to="/cookies">{t('cookies.title')}</Link>
      <Link to="/trust">{t('trust.title')}</Link>
      <Link to="/downloads">{t('downloads.title')}</Link>
    </footer>
  );
}
