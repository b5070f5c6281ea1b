import { useTranslation } from 'react-i18next';

/** Next to a personal field: why it is asked, who sees it, how long it is kept. */
export function PersonalFieldHint({ field }: { field: string }) {
  const { t } = useTranslation();
  return (
    <details className="hint">
      <summary>{t('hint.summary')}</summary>
      <dl>
        <dt>{t('hint.why')}</dt>
        <dd>{t(`hint.${field}.why`)}</dd>
        <dt>{t('hint.who')}</dt>
        <dd>{t(`hint.${field}.who`)}</dd>
        <dt>{t('hint.kept')}</dt>
        <dd>{t(`hint.${field}.kept`)}</dd>
      </dl>
    </details>
  );
}
