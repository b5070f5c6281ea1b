import { useState } from 'react';
import { Alert, Button, Card, Checkbox, Form, Input, Popconfirm, Segmented, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { IncidentFile, IncidentNotice } from '../api/types';
import { can, useMe } from '../lib/session';
import { useSettings } from '../lib/settings';
import { useChange, useFormat } from '../lib/use';
import { short } from './name-cell';
import { ProblemAlert } from './problem';

const languages = ['zh-CN', 'en'] as const;
const stale = [['admin', 'incidents']];

/** What people were told, and how far it came. */
export function NoticeList({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const { language } = useSettings();
  const announce = useChange(() => api.incident.announce(i.id), stale);
  const sent = i.notices.filter((n) => n.state !== 'draft');
  if (sent.length === 0) return null;
  const newest = sent.at(-1);
  return (
    <>
      {sent.map((n) => (
        <Card
          key={n.id}
          title={t(n.number === 1 ? 'incident.notice_number' : 'incident.further_number', {
            number: n.number,
          })}
          extra={
            <span className="row">
              {n.announced ? <Tag color="blue">{t('incident.announced')}</Tag> : null}
              <span className="small quiet num">
                {n.state === 'sending'
                  ? t('incident.sending')
                  : t('incident.sent', { at: format.time(n.sent_at) })}
              </span>
            </span>
          }
        >
          {n === newest ? (
            <p>
              {t('incident.reach', {
                told: format.number(i.told),
                reached: format.number(i.reached),
                not: format.number(i.unreachable),
              })}
            </p>
          ) : null}
          <details>
            <summary>{t('incident.read')}</summary>
            <div style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{n.text[language]}</div>
          </details>
          {n === newest && !n.announced && can(me, 'incident.handle') ? (
            <Button
              style={{ marginTop: 12 }}
              danger={i.announce_owed}
              loading={announce.isPending}
              onClick={() => announce.mutate(undefined)}
            >
              {t('incident.announce')}
            </Button>
          ) : null}
        </Card>
      ))}
      <ProblemAlert error={announce.error} />
    </>
  );
}

type Words = IncidentNotice['words'];

/** The next notice as it is written: each field in both languages, and which are missing. */
export function NoticeEditor({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const me = useMe();
  const draft = i.notices.find((n) => n.state === 'draft');
  const [words, setWords] = useState<Words>(draft?.words ?? { 'zh-CN': {}, en: {} });
  const [unknown, setUnknown] = useState(draft?.cause_unknown ?? false);
  const [shown, setShown] = useState<(typeof languages)[number]>('zh-CN');
  const write = useChange(() => api.incident.write(i.id, { words, cause_unknown: unknown }), stale);
  const send = useChange(async () => {
    await api.incident.write(i.id, { words, cause_unknown: unknown });
    await api.incident.send(i.id);
  }, stale);
  if (!can(me, 'incident.handle') || i.closed_at) return null;
  const lacks = (l: string, f: string) => !words[l]?.[f]?.trim() && !(f === 'cause' && unknown);
  const missing = languages.flatMap((l) => i.fields.filter((f) => lacks(l, f)).map((f) => ({ l, f })));
  const first = !i.notices.some((n) => n.state !== 'draft');
  return (
    <Card title={t('incident.write')}>
      <p className="quiet">{t('incident.write_text')}</p>
      <Alert
        type={missing.length ? 'warning' : 'success'}
        showIcon
        style={{ marginBottom: 16 }}
        title={missing.length ? t('incident.missing', { count: missing.length }) : t('incident.complete')}
        description={
          missing.length ? (
            <span>
              {missing
                .map(({ l, f }) => `${t(`incident.field_${f}`)} (${t(`incident.lang_${l}`)})`)
                .join(', ')}
            </span>
          ) : null
        }
      />
      {first ? (
        <Checkbox
          checked={unknown}
          onChange={(e) => setUnknown(e.target.checked)}
          style={{ marginBottom: 12 }}
        >
          {t('incident.cause_unknown')}
        </Checkbox>
      ) : null}
      <Segmented
        value={shown}
        onChange={setShown}
        options={languages.map((l) => ({ value: l, label: t(`incident.lang_${l}`) }))}
        style={{ marginBottom: 12 }}
      />
      <Form layout="vertical">
        {i.fields.map((f) => (
          <Form.Item
            key={f}
            label={t(`incident.field_${f}`)}
            htmlFor={`notice-${f}`}
            validateStatus={lacks(shown, f) ? 'warning' : undefined}
            style={{ marginBottom: 12 }}
          >
            <Input.TextArea
              id={`notice-${f}`}
              lang={shown}
              rows={3}
              maxLength={2000}
              value={words[shown]?.[f] ?? ''}
              onChange={(e) => setWords((w) => ({ ...w, [shown]: { ...w[shown], [f]: e.target.value } }))}
            />
          </Form.Item>
        ))}
      </Form>
      <div className="row" style={{ flexWrap: 'wrap' }}>
        <Button loading={write.isPending} onClick={() => write.mutate(undefined)}>
          {t('incident.save')}
        </Button>
        <Popconfirm
          title={t('incident.send_text', { count: i.people })}
          okText={t('incident.send')}
          cancelText={t('common.cancel')}
          onConfirm={() => send.mutate(undefined)}
          disabled={missing.length > 0}
        >
          <Button
            type="primary"
            loading={send.isPending}
            disabled={missing.length > 0 || !['assessed', 'notified', 'waived'].includes(i.state)}
          >
            {t('incident.send')}
          </Button>
        </Popconfirm>
      </div>
      <ProblemAlert error={write.error ?? send.error} />
    </Card>
  );
}

/** Two members of staff sign that people are not told. */
export function Waiver({ incident: i }: { incident: IncidentFile }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const [reason, setReason] = useState('');
  const sign = useChange(() => api.incident.sign(i.id, reason), stale);
  const open = i.state === 'assessed' && can(me, 'incident.sign');
  if (!open && i.signatures.length === 0) return null;
  return (
    <Card title={t('incident.waive')}>
      <p className="quiet">{t('incident.waive_text')}</p>
      {i.signatures.map((s) => (
        <p key={s.staff}>
          {t('incident.signed', { staff: short(s.staff), at: format.time(s.at) })}: {s.reason}
        </p>
      ))}
      {open ? (
        <>
          <Input.TextArea
            aria-label={t('incident.waive_reason')}
            placeholder={t('incident.waive_reason')}
            rows={2}
            maxLength={2000}
            value={reason}
            onChange={(e) => setReason(e.target.value)}
          />
          <Button
            style={{ marginTop: 12 }}
            disabled={reason.trim().length < 10}
            loading={sign.isPending}
            onClick={() => sign.mutate(undefined)}
          >
            {t('incident.sign')}
          </Button>
          <ProblemAlert error={sign.error} />
        </>
      ) : null}
    </Card>
  );
}
