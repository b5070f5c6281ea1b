// Waiting for what happens elsewhere: asked again until it is so, or too late.

import { setTimeout as pause } from 'node:timers/promises';

/** Calls ask until it answers something, and returns that. */
export async function until(what, ask, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await pause(100);
  }
  throw new Error(`waited ${seconds} s in vain for ${what}`, { cause: last });
}
