import { expect, it } from 'vitest';
import { localTime, utcTime } from '../src/lib/time-of-day';

const at = (offset: number) => ({ getTimezoneOffset: () => offset }) as Date;

it('turns UTC into the time of a zone and back, over midnight', () => {
  expect(localTime('14:00', at(-480))).toBe('22:00');
  expect(localTime('00:00', at(-480))).toBe('08:00');
  expect(localTime('02:30', at(300))).toBe('21:30');
  for (const offset of [-840, -345, 0, 720]) {
    for (const time of ['00:00', '07:05', '23:59'])
      expect(utcTime(localTime(time, at(offset)), at(offset))).toBe(time);
  }
});
