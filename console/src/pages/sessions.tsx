import { useState } from 'react';
import { Button, Select, Skeleton } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { Page } from '../components/page';
import { EmptyState, ErrorState } from '../components/problem';
import { SessionTable } from '../components/session-table';
import { Traffic } from '../components/traffic';
import { useGateways } from '../lib/catalog';

export function Sessions() {
  const { t } = useTranslation();
  const gateways = useGateways();
  const [chosen, setChosen] = useState<string>();
  const items = gateways.data?.items ?? [];
  const gateway = chosen ?? items[0]?.id;
  return (
    <Page
      title={t('nav.sessions')}
      lead={t('session.lead')}
      action={
        items.length > 1 ? (
          <Select
            aria-label={t('server.gateway')}
            style={{ minWidth: 200 }}
            value={gateway}
            onChange={setChosen}
            options={items.map((g) => ({ value: g.id, label: g.name }))}
          />
        ) : null
      }
    >
      {gateways.isPending ? <Skeleton active paragraph={{ rows: 8 }} /> : null}
      {gateways.isError ? <ErrorState error={gateways.error} retry={() => void gateways.refetch()} /> : null}
      {gateways.isSuccess && !gateway ? (
        <EmptyState
          title={t('gateway.empty')}
          text={t('gateway.empty_text')}
          action={
            <Link to="/buy">
              <Button type="primary">{t('gateway.buy')}</Button>
            </Link>
          }
        />
      ) : null}
      {gateway ? (
        <>
          <Traffic key={gateway} gateway={gateway} />
          <SessionTable gateway={gateway} />
        </>
      ) : null}
    </Page>
  );
}
