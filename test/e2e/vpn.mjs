// Stock openconnect on the client's machine, which is a network namespace.

import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { lanHost, namespace } from './environment.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);
const script = fileURLToPath(new URL('tunnel.sh', import.meta.url));

/** Runs a command on the client's machine and returns what it prints. */
export async function onClient(command, ...args) {
  const { stdout } = await run('ip', ['netns', 'exec', namespace, command, ...args], { maxBuffer: 64 << 20 });
  return stdout;
}

/** A connection of openconnect: its log, and how to wait for its end. */
export class Connection {
  #process;
  log = '';
  exited;

  /** args are openconnect's own, typed in a bundle's directory; answers are typed into it, one a line. */
  constructor({ dir, args }, answers) {
    const own = ['--script', script, '--non-inter', '--passwd-on-stdin', '--timestamp', '-v'];
    this.#process = spawn('ip', ['netns', 'exec', namespace, 'openconnect', ...own, ...args], { cwd: dir });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (bytes) => (this.log += bytes));
    }
    this.#process.stdin.on('error', () => undefined); // it may have left before it was answered
    this.#process.stdin.write(answers.map((a) => `${a}\n`).join(''));
    this.exited = once(this.#process, 'exit');
  }

  get ended() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Waits until the log says something. */
  says(pattern, seconds = 30) {
    return until(`openconnect to say ${pattern}`, () => {
      if (pattern.test(this.log)) return true;
      if (this.ended) throw new Error(`openconnect ended:\n${this.log}`);
      return false;
    }, seconds).catch((error) => {
      throw new Error(`${error.message}\n${this.log}`, { cause: error });
    });
  }

  /** Waits until the script has set the route: openconnect speaks before its script is done. */
  routes() {
    return until('the route to the host behind the gateway', async () => /dev tun/.test(await onClient('ip', 'route', 'get', lanHost)));
  }

  /** SIGINT is how a person ends it: it logs off. */
  async stop() {
    if (!this.ended) this.#process.kill('SIGINT');
    await this.exited;
  }
}

/** Downloads from the host behind the gateway and returns how many bytes came. */
export async function download() {
  const count = await onClient('curl', '-fsS', '--max-time', '120', '-o', '/dev/null', '-w', '%{size_download}', `http://${lanHost}/bytes`);
  return Number(count);
}
