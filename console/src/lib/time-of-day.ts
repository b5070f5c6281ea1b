// Times of the day, HH:MM: the API has them in UTC, a person in their own zone.

function shift(text: string, minutes: number): string {
  const [h = 0, m = 0] = text.split(':').map(Number);
  const all = (h * 60 + m + minutes + 2 * 1440) % 1440;
  return `${String(Math.floor(all / 60)).padStart(2, '0')}:${String(all % 60).padStart(2, '0')}`;
}

/** A time of the day in UTC, in the zone of the browser on that day. */
export const localTime = (utc: string, day = new Date()) => shift(utc, -day.getTimezoneOffset());

/** The other way round. */
export const utcTime = (local: string, day = new Date()) => shift(local, day.getTimezoneOffset());
