// Search on / or ⌘K: pages, and the names, ids and addresses of what the person has.

import { useEffect, useState } from 'react';
import { Input, Modal, type InputRef } from 'antd';
import { SearchOutlined } from '@ant-design/icons';
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { placesFor } from '../lib/nav';
import { useMe } from '../lib/session';

interface Found {
  key: string;
  title: string;
  detail: string;
  words: string;
  to: string;
}

/** Opens on / outside of fields and on ⌘K or Ctrl+K anywhere. */
export function usePaletteKeys(open: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const field = (event.target as HTMLElement | null)?.closest(
        'input, textarea, select, [contenteditable]',
      );
      const slash = event.key === '/' && !field && !event.ctrlKey && !event.metaKey && !event.altKey;
      const chord = event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey);
      if (!slash && !chord) return;
      event.preventDefault();
      open();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [open]);
}

export function Palette({ open, close }: { open: boolean; close: () => void }) {
  const [input, setInput] = useState<InputRef | null>(null);
  return (
    <Modal
      open={open}
      onCancel={close}
      footer={null}
      closable={false}
      destroyOnHidden
      width={560}
      style={{ top: 72 }}
      afterOpenChange={(opened) => opened && input?.focus()}
    >
      <Searching close={close} take={setInput} />
    </Modal>
  );
}

function Searching({ close, take }: { close: () => void; take: (input: InputRef | null) => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useFound()
    .filter((f) => f.words.toLowerCase().includes(text.trim().toLowerCase()))
    .slice(0, 12);
  const go = (to: string) => {
    close();
    void navigate(to);
  };
  return (
    <>
      <Input
        ref={take}
        size="large"
        variant="borderless"
        prefix={<SearchOutlined aria-hidden="true" />}
        placeholder={t('frame.search_placeholder')}
        aria-label={t('frame.search_placeholder')}
        value={text}
        onChange={(e) => {
          setText(e.target.value);
          setAt(0);
        }}
        onKeyDown={(e) => {
          const chosen = found[at];
          if (e.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
          else if (e.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (e.key === 'Enter' && chosen) go(chosen.to);
          else return;
          e.preventDefault();
        }}
      />
      <div style={{ marginTop: 8, maxHeight: '50vh', overflowY: 'auto' }}>
        {found.map((f, i) => (
          <button
            type="button"
            key={f.key}
            className={i === at ? 'palette-item active' : 'palette-item'}
            onClick={() => go(f.to)}
          >
            <span>{f.title}</span>
            <span className="quiet small mono">{f.detail}</span>
          </button>
        ))}
        {found.length === 0 ? <p className="quiet">{t('table.no_match')}</p> : null}
      </div>
    </>
  );
}

function useFound(): Found[] {
  const { t } = useTranslation();
  const me = useMe();
  const lists = useQueries({
    queries: [
      { queryKey: ['gateways', 'search'], queryFn: () => api.vpn.gateways(), staleTime: 30_000 },
      { queryKey: ['servers', 'search'], queryFn: () => api.vpn.servers(), staleTime: 30_000 },
      { queryKey: ['clients', 'search'], queryFn: () => api.vpn.clients(), staleTime: 30_000 },
      { queryKey: ['policies'], queryFn: () => api.privacy.policies(), staleTime: 300_000 },
    ],
  });
  const [gateways, servers, clients, policies] = lists;
  const pages = placesFor(me).map((p) => entry(t(`nav.${p.name}`), '', p.path, p.name));
  const things = [
    ...(gateways.data?.items ?? []).map((g) =>
      entry(g.name, g.id, `/vpn-gateways/${g.id}`, `${g.region} ${(g.addresses ?? []).join(' ')}`),
    ),
    ...(servers.data?.items ?? []).map((s) =>
      entry(s.name, s.id, `/ssl-servers/${s.id}`, `${s.pool} ${s.server_names.join(' ')}`),
    ),
    ...(clients.data?.items ?? []).map((c) => entry(c.name, c.id, `/ssl-clients/${c.id}`, c.fixed_ip ?? '')),
    ...(policies.data?.items ?? []).map((p) =>
      entry(p.title, p.version, `/policies/${p.document}`, p.document),
    ),
  ];
  return [...pages, ...things];
}

function entry(title: string, detail: string, to: string, more: string): Found {
  return {
    key: to,
    title,
    detail: detail.length > 18 ? `…${detail.slice(-10)}` : detail,
    to,
    words: `${title} ${detail} ${more}`,
  };
}
