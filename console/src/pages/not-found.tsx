import { Button } from 'antd';
import { CompassOutlined, LockOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import { useTranslation } from 'react-i18next';
import { StateBox } from '../components/problem';
import { useTitle } from '../components/page';

export function NotFound() {
  const { t } = useTranslation();
  useTitle(t('error.page_not_found'));
  return (
    <StateBox
      glyph={<CompassOutlined />}
      title={t('error.page_not_found')}
      text={t('error.page_not_found_text')}
      action={
        <Link to="/">
          <Button type="primary">{t('nav.overview')}</Button>
        </Link>
      }
    />
  );
}

export function NoPermission() {
  const { t } = useTranslation();
  useTitle(t('error.no_permission'));
  return <StateBox glyph={<LockOutlined />} title={t('error.no_permission')} text={t('error.forbidden')} />;
}
