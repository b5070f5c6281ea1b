import { useState } from 'react';
import { Alert, Button, Card, Form, InputNumber, Modal, Select, Skeleton, Switch } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ServiceReason, ServiceTerm, ServiceTerms, ServiceWatch, StaffService } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { Facts } from '../components/facts';
import { NameCell, short } from '../components/name-cell';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { ResourceTable } from '../components/resource-table';
import { StateDot } from '../components/state-dot';
import { can, useMe } from '../lib/session';
import { useChange, useFormat, useToggle } from '../lib/use';

const watches: ServiceWatch[] = ['all', 'due', 'overdue', 'suspended', 'locked', 'ending'];
const stale = [['admin', 'services']];
const lives = (s: StaffService) => s.state === 'active' || s.state === 'suspended';

/** What was bought, by what is the matter with it. */
export function AdminServices() {
  const { t } = useTranslation();
  const format = useFormat();
  const [watch, setWatch] = useState<ServiceWatch>('all');
  const days = useDays();
  return (
    <Page
      title={t('nav.admin_services')}
      lead={t('life.lead')}
      action={
        <Link to="/admin/service-terms">
          <Button>{t('life.terms')}</Button>
        </Link>
      }
    >
      <ResourceTable<StaffService>
        label={t('nav.admin_services')}
        queryKey={['admin', 'services', 'list', watch]}
        load={(page) => api.admin.services(watch, page)}
        rowKey={(s) => s.id}
        nameTitle={t('life.service')}
        nameText={(s) => s.resource || s.id}
        name={(s) => <NameCell name={short(s.resource || s.id)} id={s.id} to={`/admin/services/${s.id}`} />}
        filters={
          <Select
            aria-label={t('life.watch')}
            value={watch}
            onChange={setWatch}
            style={{ minWidth: 180 }}
            options={watches.map((w) => ({ value: w, label: t(`life.watch_${w}`) }))}
          />
        }
        columns={[
          {
            key: 'state',
            title: t('common.state'),
            cell: (s) => <Condition s={s} />,
            text: (s) => t(`state.service.${s.state}`),
          },
          {
            key: 'account',
            title: t('admin.account'),
            cell: (s) => <CopyText text={s.account} shown={short(s.account)} />,
            text: (s) => s.account,
          },
          {
            key: 'paid',
            title: t('life.paid_through'),
            cell: (s) =>
              s.paid_through ? (
                <div>
                  <div className="num">{format.time(s.paid_through)}</div>
                  <div className="small quiet">{days(s)}</div>
                </div>
              ) : (
                '–'
              ),
            text: (s) => s.paid_through,
          },
        ]}
        csv="services"
        empty={{ title: t('life.none'), text: t('life.none_text') }}
      />
    </Page>
  );
}

/** How long it is paid still, or since when no more. */
function useDays() {
  const { t } = useTranslation();
  return (s: StaffService) =>
    s.days_left >= 0 ? t('life.left', { count: s.days_left }) : t('life.over', { count: -s.days_left });
}

function Condition({ s }: { s: StaffService }) {
  const { t } = useTranslation();
  const marks = [
    ...s.reasons.map((r) => t(`life.reason_${r}`)),
    ...(s.locked ? [t('life.locked')] : []),
    ...(s.cancel_at_period_end ? [t('life.ends')] : []),
  ];
  return (
    <div>
      <StateDot kind="service" state={s.state} />
      {marks.length ? <div className="small quiet">{marks.join(t('common.list_comma'))}</div> : null}
    </div>
  );
}

/** One service: what it is, what will happen to it, and what staff may do. */
export function AdminService() {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const days = useDays();
  const { id = '' } = useParams();
  const service = useQuery({
    queryKey: ['admin', 'services', 'one', id],
    queryFn: () => api.admin.service(id),
  });
  if (service.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (service.isError) return <ErrorState error={service.error} retry={() => void service.refetch()} />;
  const s = service.data;
  return (
    <Page
      title={short(s.resource || s.id)}
      trail={[{ title: t('nav.admin_services'), to: '/admin/services' }]}
      action={can(me, 'service.write') ? <Acts s={s} /> : null}
    >
      {s.locked ? <Alert type="info" showIcon title={t('life.locked_text')} /> : null}
      <Card title={t('life.about')}>
        <Facts
          facts={[
            { label: t('common.state'), value: <Condition s={s} /> },
            { label: t('life.service'), value: <CopyText text={s.id} shown={short(s.id)} /> },
            { label: t('admin.account'), value: <CopyText text={s.account} shown={short(s.account)} /> },
            {
              label: t('life.paid_through'),
              value: s.paid_through ? `${format.time(s.paid_through)} · ${days(s)}` : '–',
            },
            { label: t('life.cycle'), value: t('paid.month', { count: s.cycle }) },
            { label: t('life.auto_renew'), value: t(s.auto_renew ? 'life.on' : 'life.off') },
          ]}
        />
      </Card>
      <Card title={t('life.timeline')}>
        {s.timeline.length ? (
          <ul className="plain">
            {s.timeline.map((m) => (
              <li key={m.what + m.at}>
                <span className="num">{format.time(m.at)}</span> {t(`life.what_${m.what}`)}
              </li>
            ))}
          </ul>
        ) : (
          <p className="quiet">{t('life.nothing_due')}</p>
        )}
      </Card>
    </Page>
  );
}

function Acts({ s }: { s: StaffService }) {
  const { t } = useTranslation();
  const name = short(s.resource || s.id);
  const ours = s.reasons.filter((r): r is ServiceReason['reason'] => r === 'abuse' || r === 'admin');
  return (
    <>
      {ours.map((reason) => (
        <ConfirmDelete
          key={reason}
          name={name}
          label={t(`life.lift_${reason}`)}
          loss={<p>{t('life.lift_text')}</p>}
          remove={() => api.admin.resumeService(s.id, reason)}
          stale={stale}
        />
      ))}
      <ConfirmDelete
        name={name}
        label={t(s.locked ? 'life.unlock' : 'life.lock')}
        loss={<p>{t(s.locked ? 'life.unlock_text' : 'life.lock_text')}</p>}
        remove={() => api.admin.lockService(s.id, !s.locked)}
        stale={stale}
      />
      {lives(s) && ours.length < 2 ? <Suspend s={s} given={ours} /> : null}
    </>
  );
}

/** A suspension names its reason, and what it does, before it is done. */
function Suspend({ s, given }: { s: StaffService; given: string[] }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const choices = (['abuse', 'admin'] as const).filter((r) => !given.includes(r));
  const [reason, setReason] = useState<ServiceReason['reason']>();
  const act = useChange((r: ServiceReason['reason']) => api.admin.suspendService(s.id, r), stale);
  return (
    <>
      <Button danger type="primary" onClick={show}>
        {t('life.suspend')}
      </Button>
      <Modal
        open={open}
        title={`${t('life.suspend')}: ${short(s.resource || s.id)}`}
        okText={t('life.suspend')}
        cancelText={t('common.cancel')}
        okButtonProps={{ danger: true, disabled: !reason, loading: act.isPending }}
        onOk={() => reason && act.mutate(reason, { onSuccess: hide })}
        onCancel={hide}
        afterClose={() => {
          setReason(undefined);
          act.reset();
        }}
        destroyOnHidden
      >
        <div className="stack">
          <p>{t('life.suspend_text')}</p>
          <Select
            aria-label={t('life.reason')}
            placeholder={t('life.reason')}
            value={reason}
            onChange={setReason}
            style={{ width: '100%' }}
            options={choices.map((r) => ({ value: r, label: t(`life.reason_${r}`) }))}
          />
          <ProblemAlert error={act.error} />
        </div>
      </Modal>
    </>
  );
}

const terms = ['renewal_order', 'suspend', 'final_notice', 'terminate', 'keep_data'] as const;

/** The days around the end of the paid time. */
export function AdminServiceTerms() {
  const { t } = useTranslation();
  const me = useMe();
  const query = useQuery({
    queryKey: ['admin', 'services', 'terms'],
    queryFn: () => api.admin.serviceTerms(),
  });
  if (query.isPending) return <Skeleton active paragraph={{ rows: 8 }} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const all: ServiceTerms = query.data;
  const days = (n: number | null) => (n === null ? t('life.off') : t('life.days', { count: n }));
  return (
    <Page
      title={t('life.terms')}
      lead={t('life.terms_lead')}
      trail={[{ title: t('nav.admin_services'), to: '/admin/services' }]}
    >
      {terms.map((name) => (
        <Card key={name} title={t(`life.term_${name}`)}>
          <div className="spread">
            <div>
              <b className="num">{days(all[name])}</b>
              <div className="quiet">{t(`life.term_${name}_text`)}</div>
            </div>
            {can(me, 'service.write') ? <SetTerm name={name} days={all[name]} /> : null}
          </div>
        </Card>
      ))}
    </Page>
  );
}

function SetTerm({ name, days }: { name: ServiceTerm['name']; days: number | null }) {
  const { t } = useTranslation();
  const [open, show, hide] = useToggle();
  const [on, setOn] = useState(days !== null);
  const [n, setN] = useState(days ?? 0);
  const act = useChange((term: ServiceTerm) => api.admin.setServiceTerm(term), stale);
  return (
    <>
      <Button onClick={show}>{t('life.change')}</Button>
      <Modal
        open={open}
        title={t(`life.term_${name}`)}
        okText={t('life.change')}
        cancelText={t('common.cancel')}
        okButtonProps={{ loading: act.isPending }}
        onOk={() => act.mutate({ name, days: on ? n : null }, { onSuccess: hide })}
        onCancel={hide}
        afterClose={act.reset}
        destroyOnHidden
      >
        <div className="stack">
          <p>{t('life.change_text')}</p>
          <label className="row">
            <Switch checked={on} onChange={setOn} aria-label={t('life.on')} />
            <span>{t(on ? 'life.on' : 'life.off')}</span>
          </label>
          {on ? (
            <Form.Item label={t('life.days_label')} layout="vertical">
              <InputNumber min={0} max={365} precision={0} value={n} onChange={(v) => setN(v ?? 0)} />
            </Form.Item>
          ) : null}
          <ProblemAlert error={act.error} />
        </div>
      </Modal>
    </>
  );
}
