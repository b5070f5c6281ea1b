import { Alert, Button, Card, Skeleton, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { CookieEntry } from '../api/types';
import { Facts } from '../components/facts';
import { ErrorState, ProblemAlert } from '../components/problem';
import { Reading } from '../components/reading';
import { useTitle } from '../components/page';
import { useSettings } from '../lib/settings';
import { useChange } from '../lib/use';

/** What is kept in this browser: the registry itself, and how to remove each part. */
export function Cookies() {
  const { t } = useTranslation();
  const { language, forgetPrefs } = useSettings();
  const stale = [['cookies', language]];
  const store = useQuery({ queryKey: ['cookies', language], queryFn: api.privacy.cookies });
  const forget = useChange(api.account.forgetBrowser, stale);
  const clear = useChange(() => Promise.resolve(forgetPrefs()), stale);
  useTitle(t('cookies.title'));

  const manage = (c: CookieEntry) => {
    if (c.kind === 'session') return c.present ? <Link to="/security">{t('cookies.sessions')}</Link> : null;
    if (!c.present) return null;
    const change = c.kind === 'remember' ? forget : clear;
    return (
      <Button size="small" danger loading={change.isPending} onClick={() => change.mutate()}>
        {t(`cookies.remove_${c.kind}`)}
      </Button>
    );
  };

  return (
    <Reading>
      <header className="pagehead">
        <h1>{t('cookies.title')}</h1>
        <p className="lead">{t('cookies.lead')}</p>
      </header>
      {store.isPending ? <Skeleton active /> : null}
      {store.isError ? <ErrorState error={store.error} retry={() => void store.refetch()} /> : null}
      {store.data ? (
        <div className="stack">
          <ProblemAlert error={forget.error} />
          {store.data.cookies.map((c) => (
            <Card
              key={c.name}
              title={
                <span className="row">
                  <span className="mono">{c.name}</span>
                  {c.present ? <Tag color="blue">{t('cookies.present')}</Tag> : null}
                </span>
              }
              extra={manage(c)}
            >
              <Facts
                facts={[
                  { label: t('cookies.purpose'), value: c.purpose },
                  { label: t('cookies.act'), value: t(`cookies.act_${c.act}`) },
                  { label: t('cookies.life'), value: c.life },
                ]}
              />
            </Card>
          ))}
          <Alert
            type="info"
            title={store.data.storage.length === 0 ? t('cookies.no_storage') : store.data.storage.join(', ')}
          />
          <p className="quiet">{t('cookies.blocked')}</p>
        </div>
      ) : null}
    </Reading>
  );
}
