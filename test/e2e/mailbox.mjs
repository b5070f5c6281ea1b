// The mail that the platform has sent, read from the mail sink's HTTP end.

import { mailbox } from './environment.mjs';
import { until } from './until.mjs';

/** Waits for a mail to an address whose text fits a pattern, and returns the pattern's first group. */
export function mailed(address, pattern) {
  return until(`a mail to ${address}`, async () => {
    const answer = await fetch(`${mailbox}/messages`);
    if (!answer.ok) throw new Error(`the mail sink answered ${answer.status}`);
    const messages = await answer.json();
    for (const message of messages.toReversed()) {
      const to = (message.to ?? message.To).map((a) => a.toLowerCase());
      const found = to.some((a) => a.includes(address)) && pattern.exec(plain(message.data ?? message.Data));
      if (found) return found[1];
    }
    return undefined;
  });
}

/** All text of a message with its transfer encodings undone. */
function plain(data) {
  const soft = data.replace(/=\r?\n/g, '');
  const quoted = soft.replace(/(?:=[0-9A-F]{2})+/gi, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'));
  const parts = data
    .split(/\r?\n\r?\n/)
    .filter((part) => /^[A-Za-z0-9+/=\r\n]{40,}$/.test(part.trim()))
    .map((part) => Buffer.from(part, 'base64').toString('utf8'));
  return [quoted, ...parts].join('\n');
}
