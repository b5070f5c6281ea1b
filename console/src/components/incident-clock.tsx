import { useTranslation } from 'react-i18next';
import type { IncidentClock } from '../api/types';
import { useFormat, useNow } from '../lib/use';
import { StateDot } from './state-dot';

export function clockState(c: IncidentClock): 'met' | 'waived' | 'missed' | 'running' {
  if (c.met_at) return 'met';
  if (c.waived_at) return 'waived';
  return c.missed_at || Date.parse(c.due_at) <= Date.now() ? 'missed' : 'running';
}

/** The clock that runs out first. */
export function nextClock(all: IncidentClock[]): IncidentClock | undefined {
  return all
    .filter((c) => !c.met_at && !c.waived_at)
    .toSorted((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at))[0];
}

/** A span as d hh:mm:ss. */
export function countdown(ms: number): string {
  const total = Math.floor(Math.abs(ms) / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(Math.floor((total % 86_400) / 3600))}:${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  const days = Math.floor(total / 86_400);
  return days ? `${days} d ${clock}` : clock;
}

export const ruleName = (c: IncidentClock) => `incident.rule_${c.rule.split('.')[0]}`;

/** How much time a clock has left, moving every second. */
export function Countdown({ clock }: { clock: IncidentClock }) {
  const { t } = useTranslation();
  const left = Date.parse(clock.due_at) - useNow();
  return (
    <span className="num" role="timer" style={left <= 0 ? { color: 'var(--bad)' } : undefined}>
      {t(left > 0 ? 'incident.left' : 'incident.over', { time: countdown(left) })}
    </span>
  );
}

/** One limit: what has to happen, by when, and how it stands. */
export function ClockLine({ clock }: { clock: IncidentClock }) {
  const { t } = useTranslation();
  const format = useFormat();
  const state = clockState(clock);
  return (
    <div className="spread" style={{ flexWrap: 'wrap', gap: 8 }}>
      <div>
        <div style={{ fontWeight: 500 }}>{t(ruleName(clock))}</div>
        <div className="small quiet num">{t('incident.due', { at: format.time(clock.due_at) })}</div>
      </div>
      <div className="row">
        {state === 'running' || state === 'missed' ? <Countdown clock={clock} /> : null}
        <StateDot kind="limit" state={state} />
      </div>
    </div>
  );
}
