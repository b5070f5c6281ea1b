import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { Training } from '../api/types';
import { CopyText } from '../components/copy-text';
import { Page } from '../components/page';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { useFormat, useNow } from '../lib/use';

/** How a training stands: 30 days before its end it is time for the next. */
export function standing(training: Pick<Training, 'until' | 'disabled'>, now: number): string {
  if (training.disabled) return 'disabled';
  const left = training.until ? new Date(training.until).getTime() - now : 0;
  if (left <= 0) return 'ended';
  return left < 30 * 86_400_000 ? 'ending' : 'live';
}

/** Who of the staff may open personal data, and until when. */
export function AdminTraining() {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(60_000);
  return (
    <Page title={t('nav.admin_training')} lead={t('training.lead')}>
      <div className="row">
        <span className="quiet">{t('training.how')}</span>
        <CopyText text="skybridge admin add-training NAME" />
      </div>
      <ResourceTable<Training>
        label={t('nav.admin_training')}
        queryKey={['admin', 'trainings']}
        load={api.admin.trainings}
        rowKey={(p) => p.user_name}
        nameTitle={t('training.name')}
        nameText={(p) => p.user_name}
        name={(p) => <span style={{ fontWeight: 500 }}>{p.user_name}</span>}
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (p) => <StateDot kind="training" state={standing(p, now)} />,
            text: (p) => standing(p, now),
          },
          {
            key: 'at',
            title: t('training.at'),
            cell: (p) => <span className="num">{p.at ? format.date(p.at) : t('training.never')}</span>,
            text: (p) => p.at ?? '',
          },
          {
            key: 'until',
            title: t('training.until'),
            cell: (p) => <span className="num">{format.date(p.until)}</span>,
            text: (p) => p.until ?? '',
          },
        ]}
        csv="training"
        empty={{ title: t('training.none') }}
      />
    </Page>
  );
}
