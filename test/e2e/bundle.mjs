// The bundle that an SSL client's user gets: unpacked, and its instructions followed to the letter.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { workDir } from './environment.mjs';

/** Unpacks a bundle and returns its directory and the command that its README.txt tells to type. */
export async function unpack(zip) {
  const dir = mkdtempSync(join(workDir, 'bundle-'));
  await promisify(execFile)('unzip', ['-q', zip, '-d', dir]);
  const readme = readFileSync(join(dir, 'README.txt'), 'utf8');
  const command = /^openconnect (?:.*\\\n)*.*$/m.exec(readme)?.[0];
  if (!command) throw new Error(`the bundle tells no command:\n${readme}`);
  return { dir, args: command.replaceAll('\\\n', ' ').trim().split(/\s+/).slice(1) };
}
