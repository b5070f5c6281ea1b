// The link by which a client's user fetches the bundle without an account.

import { useState } from 'react';
import { Button, Card, QRCode, Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { BundleLink as Made, SSLClient } from '../api/types';
import { CopyText } from './copy-text';
import { ProblemAlert } from './problem';
import { useChange, useFormat, useNow } from '../lib/use';

const lives = [1, 8, 24, 72];

export function BundleLink({ client: c }: { client: SSLClient }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(60_000);
  const key = ['bundle-link', c.id];
  const [hours, setHours] = useState(24);
  const [made, setMade] = useState<Made>();
  const link = useQuery({ queryKey: key, queryFn: () => api.vpn.bundleLink(c.id) });
  const make = useChange(async () => setMade(await api.vpn.makeBundleLink(c.id, hours)), [key]);
  const revoke = useChange(async () => {
    await api.vpn.revokeBundleLink(c.id);
    setMade(undefined);
  }, [key]);
  const until = link.data?.until;
  const keyUntil = link.data?.key_until;
  return (
    <Card size="small" title={t('link.title')}>
      <div className="stack">
        <span className="quiet">{t('link.lead')}</span>
        {link.isSuccess ? (
          <output>
            {until ? t('link.open', { time: format.time(until) }) : t('link.none')}{' '}
            {keyUntil && Date.parse(keyUntil) > now ? t('link.key', { time: format.time(keyUntil) }) : null}
          </output>
        ) : null}
        <div className="row" style={{ gap: 12 }}>
          <Select
            aria-label={t('link.life')}
            value={hours}
            onChange={setHours}
            style={{ minWidth: 120 }}
            options={lives.map((n) => ({ value: n, label: t('link.hours', { count: n }) }))}
          />
          <Button loading={make.isPending} onClick={() => make.mutate(undefined)}>
            {until ? t('link.again') : t('link.make')}
          </Button>
          {until ? (
            <Button danger loading={revoke.isPending} onClick={() => revoke.mutate(undefined)}>
              {t('link.revoke')}
            </Button>
          ) : null}
        </div>
        <ProblemAlert error={link.error ?? make.error ?? revoke.error} />
        {made ? <Shown url={new URL(made.url, window.location.origin).href} /> : null}
      </div>
    </Card>
  );
}

function Shown({ url }: { url: string }) {
  const { t } = useTranslation();
  return (
    <>
      <span>{t('link.shown')}</span>
      <CopyText text={url} wrap />
      <span className="qr">
        <QRCode
          aria-label={t('common.qr')}
          value={url}
          type="svg"
          size={200}
          bordered={false}
          color="#000"
          bgColor="#fff"
        />
      </span>
    </>
  );
}
