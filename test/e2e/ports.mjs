// The demonstration's ports, and the way to them out of the browser's network namespace: sockets of
// the file system, which all namespaces share.

import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { base, workDir } from './environment.mjs';

const first = Number(new URL(base).port);

/** The console's port and those of its simulators; scripts/lib.sh makes them follow each other. */
export const ports = [0, 1, 2, 3, 4].map((n) => first + n);

/** Where a port is found from another network namespace. */
export const socketOf = (port) => join(workDir, `port-${port}`);

/** Takes connections at one place and leads them to another; resolves when it does. */
export function lead(from, to) {
  const server = createServer((near) => {
    const far = connect(to);
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  server.unref();
  return new Promise((ready, failed) => server.once('error', failed).listen(from, ready));
}
