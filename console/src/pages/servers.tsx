import { Button } from 'antd';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { Page } from '../components/page';
import { ServerTable } from '../components/server-table';

export function Servers() {
  const { t } = useTranslation();
  return (
    <Page
      title={t('nav.servers')}
      lead={t('server.lead')}
      action={
        <Link to="/ssl-servers/new">
          <Button type="primary">{t('server.create')}</Button>
        </Link>
      }
    >
      <ServerTable />
    </Page>
  );
}
