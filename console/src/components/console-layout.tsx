// The frame of every page behind sign-in: menu, search, language, theme, account.

import { Suspense, useCallback, useState } from 'react';
import { Button, Drawer, Dropdown, Menu, Skeleton, type MenuProps } from 'antd';
import { LogoutOutlined, MenuOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { placeAt, placesFor, type Place } from '../lib/nav';
import { zone } from '../lib/format';
import { useLive } from '../lib/live';
import { useMe } from '../lib/session';
import { useNarrow } from '../lib/media';
import { useToggle } from '../lib/use';
import { Boundary } from './boundary';
import { IncidentBanner } from './incident-notices';
import { Mark } from './mark';
import { AgeGate } from './minor';
import { Palette, usePaletteKeys } from './palette';
import { Notices } from './notices';
import { PolicyDialog } from './policy-dialog';
import { StepUp } from './step-up';
import { LanguageButton, ThemeButton } from './tools';
import { VerifyBanner } from './verify-banner';

export function ConsoleLayout() {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const { pathname } = useLocation();
  const [menuOpen, openMenu, closeMenu] = useToggle();
  useLive();
  return (
    <div className="frame">
      <a className="skip" href="#content">
        {t('frame.skip')}
      </a>
      <Topbar openMenu={narrow ? openMenu : undefined} />
      <div className="below">
        {narrow ? (
          <Drawer
            open={menuOpen}
            onClose={closeMenu}
            placement="left"
            size={264}
            title={t('frame.menu')}
            styles={{ body: { padding: 8 } }}
          >
            <Navigation done={closeMenu} />
          </Drawer>
        ) : (
          <nav className="sidebar" aria-label={t('frame.menu')}>
            <div className="sidebar-inner">
              <Navigation />
            </div>
          </nav>
        )}
        <main className="main" id="content" tabIndex={-1}>
          <div className="main-inner">
            <IncidentBanner />
            <VerifyBanner />
            <AgeGate>
              <Boundary key={pathname}>
                <Suspense fallback={<Skeleton active paragraph={{ rows: 8 }} />}>
                  <Outlet />
                </Suspense>
              </Boundary>
            </AgeGate>
            <p className="small quiet" style={{ margin: '24px 0 0' }}>
              {t('frame.zone', { zone: zone() })}
            </p>
          </div>
        </main>
      </div>
      <PolicyDialog />
      <StepUp />
    </div>
  );
}

function Topbar({ openMenu }: { openMenu?: () => void }) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const [searching, setSearching] = useState(false);
  const open = useCallback(() => setSearching(true), []);
  usePaletteKeys(open);
  return (
    <header className="topbar">
      {openMenu ? (
        <Button type="text" icon={<MenuOutlined />} aria-label={t('frame.menu')} onClick={openMenu} />
      ) : null}
      <Link to="/" className="brand">
        <Mark size={26} />
        {narrow ? t('common.product_short') : t('common.product')}
      </Link>
      <span className="grow" />
      {narrow ? (
        <Button type="text" icon={<SearchOutlined />} aria-label={t('frame.search')} onClick={open} />
      ) : (
        <button type="button" className="searchbox" onClick={open}>
          <SearchOutlined aria-hidden="true" />
          {t('frame.search')}
          <kbd>/</kbd>
        </button>
      )}
      <Notices />
      <LanguageButton />
      <ThemeButton />
      <AccountMenu />
      <Palette open={searching} close={() => setSearching(false)} />
    </header>
  );
}

function AccountMenu() {
  const { t } = useTranslation();
  const me = useMe();
  const narrow = useNarrow();
  const navigate = useNavigate();
  const client = useQueryClient();
  const leave = async () => {
    await api.account.logout().catch(() => undefined); // an ended session is signed out too
    client.clear();
    await navigate('/login');
  };
  const items: MenuProps['items'] = [
    { key: 'who', label: me.user_name, disabled: true },
    { type: 'divider' },
    { key: '/security', label: t('nav.security') },
    { key: '/real-name', label: t('nav.realname') },
    { key: '/my-data', label: t('nav.mydata') },
    { type: 'divider' },
    { key: 'leave', icon: <LogoutOutlined />, label: t('frame.sign_out') },
  ];
  return (
    <Dropdown
      trigger={['click']}
      menu={{ items, onClick: ({ key }) => void (key === 'leave' ? leave() : navigate(key)) }}
    >
      <Button type="text" icon={<UserOutlined />} aria-label={t('frame.account')}>
        {narrow ? null : (
          <span style={{ maxWidth: 140, overflow: 'hidden', textOverflow: 'ellipsis' }}>{me.user_name}</span>
        )}
      </Button>
    </Dropdown>
  );
}

const groups: Place['group'][] = ['top', 'vpn', 'money', 'self', 'operator'];

function Navigation({ done }: { done?: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const { pathname } = useLocation();
  const allowed = placesFor(me);
  const items = groups.flatMap((group): NonNullable<MenuProps['items']> => {
    const links = allowed
      .filter((p) => p.group === group)
      .map((p) => ({ key: p.path, icon: p.icon, label: <Link to={p.path}>{t(`nav.${p.name}`)}</Link> }));
    if (links.length === 0) return [];
    return group === 'top'
      ? links
      : [{ key: group, type: 'group' as const, label: t(`nav.group_${group}`), children: links }];
  });
  return (
    <Menu
      mode="inline"
      style={{ border: 0, background: 'none' }}
      items={items}
      selectedKeys={[placeAt(pathname)?.path ?? '']}
      onClick={() => done?.()}
    />
  );
}
