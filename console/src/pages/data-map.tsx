import { useTranslation } from 'react-i18next';
import { DataMap } from '../components/data-map';
import { Page, useTitle } from '../components/page';
import { Reading } from '../components/reading';

/** What the database holds, for anybody. */
export function DataMapPage() {
  const { t } = useTranslation();
  useTitle(t('datamap.title'));
  return (
    <Reading>
      <header className="pagehead">
        <h1>{t('datamap.title')}</h1>
        <p className="lead">{t('datamap.lead')}</p>
      </header>
      <DataMap />
    </Reading>
  );
}

/** The same, within the operator's frame. */
export function AdminDataMap() {
  const { t } = useTranslation();
  return (
    <Page title={t('datamap.title')} lead={t('datamap.lead')}>
      <DataMap />
    </Page>
  );
}
