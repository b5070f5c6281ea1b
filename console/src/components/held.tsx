import { Alert } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import { useFormat } from '../lib/use';
import { ProblemAlert } from './problem';

/** What a law has us keep of the person beyond its time; nothing where there is none. */
export function Held() {
  const { t } = useTranslation();
  const format = useFormat();
  const held = useQuery({ queryKey: ['holds'], queryFn: api.privacy.holds });
  if (held.isError) return <ProblemAlert error={held.error} />;
  return held.data?.items.map((h) => (
    <Alert
      key={`${h.class}.${h.law}.${h.until}`}
      type="info"
      showIcon
      style={{ marginBottom: 16 }}
      title={t('mydata.held', {
        what: h.class ? t(`retention.class_${h.class}`, { defaultValue: h.class }) : t('retention.any_class'),
      })}
      description={t('mydata.held_text', { law: h.law, until: format.time(h.until, true) })}
    />
  ));
}
