import { useState } from 'react';
import { Alert, Button, Card, Empty, Form, Input, Modal, Select, Tag } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { ReadStop, StaffMember, StaffRole } from '../api/types';
import { ConfirmDelete } from '../components/confirm-delete';
import { CopyText } from '../components/copy-text';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { can, useMe } from '../lib/session';
import { useChange, useFormat } from '../lib/use';

const stale = [['admin', 'staff']];

/** Who of the staff holds which role, what excludes what, and readers who were stopped. */
export function AdminStaff() {
  const { t } = useTranslation();
  const staff = useQuery({ queryKey: ['admin', 'staff'], queryFn: api.admin.staff });
  const stops = useQuery({
    queryKey: ['admin', 'stops'],
    queryFn: api.admin.readStops,
    refetchInterval: 30_000,
  });
  return (
    <Page title={t('nav.admin_staff')} lead={t('staff.lead')}>
      {staff.isError ? <ErrorState error={staff.error} retry={() => void staff.refetch()} /> : null}
      <Card title={t('staff.stops')} loading={stops.isPending}>
        <p className="muted" style={{ marginTop: 0 }}>
          {t('staff.stops_text')}
        </p>
        {stops.data?.items.length ? (
          <div className="stack">
            {stops.data.items.map((s) => (
              <Stop key={s.id} s={s} />
            ))}
          </div>
        ) : (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('staff.no_stops')} />
        )}
      </Card>
      <Card title={t('staff.members')} loading={staff.isPending}>
        <div className="stack">
          {(staff.data?.members ?? []).map((m) => (
            <Member key={m.subject} m={m} roles={staff.data?.roles ?? []} />
          ))}
        </div>
        <div className="row" style={{ marginTop: 16 }}>
          <span className="quiet">{t('staff.how')}</span>
          <CopyText text="skybridge admin add-staff NAME EMAIL --role ROLE" />
        </div>
      </Card>
      <Card title={t('staff.roles')} loading={staff.isPending}>
        <div className="stack">
          {(staff.data?.roles ?? []).map((r) => (
            <Role key={r.role} r={r} />
          ))}
        </div>
      </Card>
    </Page>
  );
}

function Stop({ s }: { s: ReadStop }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const [open, setOpen] = useState(false);
  return (
    <div className="spread">
      <div>
        <b>{s.reader}</b>{' '}
        <Tag color={s.released_at ? undefined : 'red'}>
          {t(s.released_at ? 'staff.released' : 'staff.stopped')}
        </Tag>
        <div className="muted">
          {t('staff.stopped_at', { at: format.time(s.at, true), count: s.tries })}
          {s.released_at
            ? ` · ${t('staff.released_by', { name: s.releaser, at: format.time(s.released_at, true), reason: s.reason })}`
            : null}
        </div>
      </div>
      {s.released_at ? null : s.own ? (
        <span className="muted">{t('staff.stop_own')}</span>
      ) : can(me, 'read.release') ? (
        <Button type="primary" onClick={() => setOpen(true)}>
          {t('staff.release')}
        </Button>
      ) : (
        <span className="muted">{t('staff.stop_waits')}</span>
      )}
      {open ? <Release s={s} close={() => setOpen(false)} /> : null}
    </div>
  );
}

function Release({ s, close }: { s: ReadStop; close: () => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  const release = useChange(async () => {
    await api.admin.releaseReadStop(s.id, reason);
    close();
  }, [['admin', 'stops']]);
  return (
    <Modal
      open
      onCancel={close}
      title={t('staff.release_title', { name: s.reader })}
      okText={t('staff.release')}
      okButtonProps={{ disabled: !reason.trim(), loading: release.isPending }}
      onOk={() => release.mutate(undefined)}
    >
      <Form layout="vertical" requiredMark={false}>
        <p style={{ marginTop: 0 }}>{t('staff.release_text')}</p>
        <Form.Item label={t('staff.reason')} extra={t('staff.reason_text')}>
          <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} />
        </Form.Item>
        <ProblemAlert error={release.error} />
      </Form>
    </Modal>
  );
}

function Member({ m, roles }: { m: StaffMember; roles: StaffRole[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const [role, setRole] = useState<StaffRole['role']>();
  const give = useChange(async (next: StaffRole['role']) => {
    await api.admin.giveRole(m.user_name, next);
    setRole(undefined);
  }, stale);
  const changes = can(me, 'staff.write') && !m.own;
  const excluded = (r: StaffRole) => r.excludes.some((e) => m.roles.includes(e as StaffRole['role']));
  const free = roles.filter((r) => !m.roles.includes(r.role) && !excluded(r));
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="spread">
        <div>
          <b>{m.user_name}</b> {m.own ? <span className="muted">({t('staff.you')})</span> : null}
          <div className="row" style={{ flexWrap: 'wrap', marginTop: 4 }}>
            {m.power === 'founding' ? (
              <Tag color="gold" style={{ whiteSpace: 'normal' }}>
                {t('staff.founding', { at: format.time(m.founding_until, true) })}
              </Tag>
            ) : null}
            {m.emergency ? (
              <Tag color="red" style={{ whiteSpace: 'normal' }}>
                {t('staff.glass', {
                  role: t(`staff.role_${m.emergency}`),
                  at: format.time(m.emergency_until, true),
                })}
              </Tag>
            ) : null}
            {m.roles.map((r) => (
              <span key={r}>
                <Tag>{t(`staff.role_${r}`)}</Tag>
                {changes && m.power !== 'founding' ? (
                  <ConfirmDelete
                    small
                    name={`${m.user_name}, ${t(`staff.role_${r}`)}`}
                    label={t('staff.take')}
                    loss={<p>{t('staff.take_text')}</p>}
                    remove={() => api.admin.takeRole(m.user_name, r as StaffRole['role'])}
                    stale={stale}
                  />
                ) : null}
              </span>
            ))}
            {m.roles.length === 0 ? <span className="muted">{t('staff.no_role')}</span> : null}
          </div>
        </div>
        {changes && free.length > 0 ? (
          <div className="row">
            <Select
              aria-label={t('staff.give_to', { name: m.user_name })}
              placeholder={t('staff.choose')}
              style={{ width: 210 }}
              value={role}
              onChange={setRole}
              options={free.map((r) => ({ value: r.role, label: t(`staff.role_${r.role}`) }))}
            />
            <Button disabled={!role} loading={give.isPending} onClick={() => role && give.mutate(role)}>
              {t('staff.give')}
            </Button>
          </div>
        ) : null}
      </div>
      {m.combined ? <Alert type="warning" showIcon title={t('staff.combined')} /> : null}
      <ProblemAlert error={give.error} />
    </div>
  );
}

function Role({ r }: { r: StaffRole }) {
  const { t } = useTranslation();
  return (
    <div>
      <b>{t(`staff.role_${r.role}`)}</b>
      <div>{t(`staff.role_${r.role}_text`)}</div>
      <div className="muted">
        {r.excludes.length
          ? t('staff.excludes', { roles: r.excludes.map((e) => t(`staff.role_${e}`)).join(t('staff.and')) })
          : t('staff.excludes_none')}
      </div>
      <details>
        <summary className="muted">{t('staff.permissions', { count: r.permissions.length })}</summary>
        <div className="row" style={{ flexWrap: 'wrap', marginTop: 8 }}>
          {r.permissions.map((p) => (
            <code key={p}>{p}</code>
          ))}
        </div>
      </details>
    </div>
  );
}
