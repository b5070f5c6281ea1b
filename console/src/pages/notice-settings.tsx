// What a person is told, by which channel, and when SMS wait.

import { Button, Card, Checkbox, Input, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api';
import type { NoticeChoice, NoticePreference, NoticePreferences } from '../api/types';
import { Page } from '../components/page';
import { ErrorState, ProblemAlert } from '../components/problem';
import { localTime, utcTime } from '../lib/time-of-day';
import { useChange } from '../lib/use';

const key = ['notice-preferences'];
const channels = ['inbox', 'mail', 'sms'] as const;

export function NoticeSettings() {
  const { t } = useTranslation();
  const now = useQuery({ queryKey: key, queryFn: api.account.noticePreferences });
  return (
    <Page title={t('nav.notice_settings')} lead={t('told.lead')}>
      {now.isError ? <ErrorState error={now.error} retry={() => void now.refetch()} /> : null}
      {now.isPending ? <Skeleton active /> : null}
      {now.data ? <Choice key={now.dataUpdatedAt} now={now.data} /> : null}
    </Page>
  );
}

const same = (a: NoticeChoice) => (b: NoticeChoice) => a.event === b.event && a.channel === b.channel;

function Choice({ now }: { now: NoticePreferences }) {
  const { t } = useTranslation();
  const [off, setOff] = useState<NoticeChoice[]>(() =>
    now.items.flatMap((i) =>
      i.channels.filter((c) => !c.on).map((c) => ({ event: i.event, channel: c.channel })),
    ),
  );
  const [quiet, setQuiet] = useState({
    begins: localTime(now.quiet_begins),
    ends: localTime(now.quiet_ends),
  });
  const save = useChange(
    () =>
      api.account.setNoticePreferences({
        off,
        quiet_begins: utcTime(quiet.begins),
        quiet_ends: utcTime(quiet.ends),
      }),
    [key],
  );
  const shown = channels.filter((c) => now.items.some((i) => i.channels.some((b) => b.channel === c)));
  const change = (choice: NoticeChoice, on: boolean) =>
    setOff((all) => (on ? all.filter((o) => !same(choice)(o)) : [...all, choice]));
  return (
    <>
      <Card title={t('told.title')}>
        <p>{t('told.rules')}</p>
        <table className="plain" style={{ width: '100%', borderCollapse: 'collapse' }}>
          <thead>
            <tr>
              <th style={{ textAlign: 'start' }}>{t('told.event')}</th>
              {shown.map((c) => (
                <th key={c} style={{ whiteSpace: 'nowrap', padding: '0 8px' }}>
                  {t(`told.${c}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {now.items.map((i) => (
              <tr key={i.event} style={{ borderTop: '1px solid var(--line)' }}>
                <th scope="row" style={{ textAlign: 'start', fontWeight: 400, padding: '8px 8px 8px 0' }}>
                  {i.title}
                </th>
                {shown.map((c) => (
                  <td key={c} style={{ textAlign: 'center' }}>
                    <Way item={i} channel={c} off={off} change={change} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
      <Card title={t('told.quiet')}>
        <div className="stack">
          <p>{t('told.quiet_lead')}</p>
          <div style={{ display: 'flex', gap: 16, flexWrap: 'wrap' }}>
            {(['begins', 'ends'] as const).map((side) => (
              <label key={side}>
                {t(`told.quiet_${side}`)}{' '}
                <Input
                  type="time"
                  style={{ width: 130 }}
                  required
                  value={quiet[side]}
                  onChange={(e) => setQuiet((q) => ({ ...q, [side]: e.target.value || q[side] }))}
                />
              </label>
            ))}
          </div>
        </div>
      </Card>
      <ProblemAlert error={save.error} />
      <div>
        <Button type="primary" loading={save.isPending} onClick={() => save.mutate(undefined)}>
          {t('told.save')}
        </Button>
      </div>
    </>
  );
}

interface WayProps {
  item: NoticePreference;
  channel: NoticeChoice['channel'];
  off: NoticeChoice[];
  change: (choice: NoticeChoice, on: boolean) => void;
}

/** One channel of an event: a box, which does not move where it is fixed or the last that has to stay. */
function Way({ item, channel, off, change }: WayProps) {
  const { t } = useTranslation();
  const way = item.channels.find((c) => c.channel === channel);
  if (!way) return <span aria-hidden>–</span>;
  const isOn = (c: NoticeChoice['channel']) => !off.some(same({ event: item.event, channel: c }));
  const on = isOn(channel);
  const last =
    way.one_stays &&
    on &&
    !item.channels.some((c) => c.one_stays && c.channel !== channel && isOn(c.channel));
  const why = way.fixed ? t('told.fixed') : last ? t('told.one_stays') : undefined;
  return (
    <Checkbox
      checked={on}
      disabled={Boolean(why)}
      title={why}
      aria-label={`${item.title}: ${t(`told.${channel}`)}${why ? ` (${why})` : ''}`}
      onChange={(e) => change({ event: item.event, channel }, e.target.checked)}
    />
  );
}
