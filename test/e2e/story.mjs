// A story is a test in steps: each needs the one before. When a step fails its page's picture is
// kept, and the steps after it fail as not reached; none is left out in silence.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { screenshots } from './environment.mjs';

export function story(t, page) {
  let broken;
  return (name, act) =>
    t.test(name, async () => {
      if (broken) throw notReached(broken);
      try {
        await act();
      } catch (error) {
        broken = name;
        mkdirSync(screenshots, { recursive: true });
        const file = join(screenshots, `failed-${name.replace(/\W+/g, '-')}.png`);
        await page.screenshot({ path: file, fullPage: true }).catch(() => undefined); // the page may be gone
        error.message += `\nat ${page.url()}; picture: ${file}`;
        throw error;
      }
    });
}

function notReached(broken) {
  const error = new Error(`not reached: “${broken}” failed`);
  error.stack = ''; // where this is says nothing
  return error;
}
