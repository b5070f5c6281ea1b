// Inside the browser's network namespace: the demonstration's ports are there as they are outside.
// Then the browser runs, and all ends with it.

import { execFileSync, spawn } from 'node:child_process';
import { lead, ports, socketOf } from './ports.mjs';

execFileSync('ip', ['link', 'set', 'lo', 'up']);
for (const port of ports) await lead({ host: '127.0.0.1', port }, { path: socketOf(port) });

// The browser is driven through the descriptors 3 and 4.
const browser = spawn('/usr/bin/chromium', process.argv.slice(2), { stdio: Array(5).fill('inherit') });
browser.on('exit', (code) => process.exit(code ?? 1));
