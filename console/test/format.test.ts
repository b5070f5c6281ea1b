import { describe, expect, test } from 'vitest';
import { decodeTable, toCSV } from '../src/lib/csv';
import { formatBytes, formatDate, formatMoney, formatRate, formatSpan } from '../src/lib/format';
import { validIDNumber } from '../src/lib/id-number';
import { openable } from '../src/lib/instruction';
import { localPath } from '../src/lib/local-path';
import {
  entries,
  freePool,
  randomULA,
  usable,
  validCIDR,
  validCIDR6,
  validIPv4,
  validIPv6,
} from '../src/lib/network';
import { parsePrefs, prefsCookie } from '../src/lib/prefs';
import { command, quoted } from '../src/lib/connect';
import { rates } from '../src/components/traffic';
import { stale, type Pulse } from '../src/lib/live';
import type { SSLServer } from '../src/api/types';

test.each([
  [{ amount: '1234.50', currency: 'CNY' }, 'zh-CN', '¥1,234.50'],
  [{ amount: '1234.50', currency: 'CNY' }, 'en', '¥1,234.50'],
  [{ amount: '-0.01', currency: 'USD' }, 'en', '-$0.01'],
  [undefined, 'en', '–'],
] as const)('money %o in %s', (money, language, want) => {
  expect(formatMoney(money, language)).toBe(want);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 KB'],
  [98_765_432, '98.8 MB'],
  [1.5e12, '1.5 TB'],
  [undefined, '–'],
])('%s bytes', (n, want) => expect(formatBytes(n, 'en')).toBe(want));

test('rates are bits a second', () => {
  expect(formatRate(125_000, 'en')).toBe('1 Mbps');
  const [point] = rates([{ at: '2026-01-01T00:00:00Z', bytes_in: 10, bytes_out: 20, sessions: 1 }], 10);
  expect(point).toEqual({ at: Date.UTC(2026, 0, 1), up: 1, down: 2 });
});

test.each([
  [-5, '00:00'],
  [65_000, '01:05'],
  [3_661_000, '1:01:01'],
  [90_061_000, '1d 01:01:01'],
])('span %s', (ms, want) => expect(formatSpan(ms)).toBe(want));

test("Go's zero time is no time", () => {
  expect(formatDate('0001-01-01T00:00:00Z', 'en')).toBe('–');
  expect(formatDate(undefined, 'zh-CN')).toBe('–');
  expect(formatDate('2026-11-22T12:00:00Z', 'zh-CN')).toBe('2026/11/22');
});

test('CSV quotes, marks its encoding and disarms formulas', () => {
  expect(
    toCSV(
      ['a', 'b'],
      [
        ['x,"y"', '=1+1'],
        [-5, undefined],
        ['@x', '+86'],
      ],
    ),
  ).toBe('\uFEFFa,b\r\n"x,""y""",\'=1+1\r\n-5,\r\n\'@x,+86\r\n');
});

test('the check digit of an identity number', () => {
  // The example printed in the standard, and slips of it.
  expect(validIDNumber('11010519491231002X')).toBe(true);
  expect(validIDNumber('11010519491231002x')).toBe(true);
  expect(validIDNumber('110105194912310021')).toBe(false);
  expect(validIDNumber('1101051949123100')).toBe(false);
});

test.each([
  [null, '/'],
  ['/orders/1?x=1', '/orders/1?x=1'],
  ['//evil.example', '/'],
  ['https://evil.example', '/'],
  ['/\\evil.example', '/'],
])('next %s leads to %s', (next, want) => expect(localPath(next)).toBe(want));

test('a payment is only sent to https or loopback', () => {
  expect(openable('https://pay.example/submit')).toBe(true);
  expect(openable('http://127.0.0.1:9001/submit.php')).toBe(true);
  expect(openable('http://pay.example/')).toBe(false);
  expect(openable('javascript:alert(1)')).toBe(false);
  expect(openable('http://127.0.0.1.evil.example/')).toBe(false);
  expect(openable(undefined)).toBe(false);
});

describe('networks', () => {
  test.each([
    ['10.77.0.0/24', true],
    ['10.77.0.1/24', false],
    ['10.77.0.0', false],
    ['10.0.0.0/7', false],
    ['256.0.0.0/8', false],
    ['10.77.0.0/33', false],
    ['0.0.0.0/0', false],
  ])('%s is a network: %s', (text, want) => expect(validCIDR(text)).toBe(want));
  test.each([
    ['fd00:77::/64', true],
    ['fd00:77::1/64', false],
    ['fd00:77:0:1::/63', false],
    ['fd00:77:0:2::/63', true],
    ['2001:db8:1:2:3:4:5:6/128', true],
    ['2001:db8:1:2:3:4:5/128', false],
    ['fd00::77::/64', false],
    ['fd00::/129', false],
    ['::/0', false],
    ['fd00:xyz::/64', false],
    ['10.77.0.0/24', false],
  ])('%s is an IPv6 network: %s', (text, want) => expect(validCIDR6(text)).toBe(want));
  test('a generated network is one of unique local addresses, and another each time', () => {
    const made = Array.from({ length: 50 }, randomULA);
    expect(made.every((m) => validCIDR6(m, 64, 64) && m.startsWith('fd'))).toBe(true);
    expect(new Set(made).size).toBe(50);
  });
  test('pool', () => {
    expect(usable('10.250.0.0/24')).toBe(253);
    expect(usable('10.250.0.0/29')).toBe(5);
    expect(usable('nonsense')).toBe(0);
  });
  test('addresses and lists', () => {
    expect(validIPv4('10.77.0.53')).toBe(true);
    expect(validIPv4('10.77.0.300')).toBe(false);
    expect(validIPv6('fd00::5')).toBe(true);
    expect(validIPv6('fd00::5%eth0')).toBe(false);
    expect(entries('10.0.0.0/8, 1.1.1.1\n2.2.2.2；')).toEqual(['10.0.0.0/8', '1.1.1.1', '2.2.2.2']);
  });
});

test('preferences are the registered ones and hold no identifier', () => {
  expect(parsePrefs('a=b; prefs=lang-en.theme-dark', ['zh-CN'])).toEqual({ language: 'en', theme: 'dark' });
  expect(parsePrefs('prefs=lang-fr.theme-pink.id-7', ['de', 'en-GB'])).toEqual({
    language: 'en',
    theme: 'auto',
  });
  expect(parsePrefs('', ['de'])).toEqual({ language: 'zh-CN', theme: 'auto' });
  expect(prefsCookie({ language: 'en', theme: 'dark' })).toBe(
    'prefs=lang-en.theme-dark; Path=/; Max-Age=31536000; Secure; SameSite=Lax',
  );
});

test('the command to connect is safe to paste', () => {
  const server = {
    server_names: ['a.example'],
    port: 8443,
    pin: 'pin-sha256:AA+/=',
    login_mode: 'password_certificate',
  } as SSLServer;
  expect(command({ name: "o'neil $(x)" }, server)).toBe(
    `sudo openconnect --protocol=anyconnect '--user=o'\\''neil $(x)' --certificate=client.pem --sslkey=key.pem ` +
      `--cafile=ca.pem --servercert=pin-sha256:AA+/= https://a.example:8443/`,
  );
  expect(command({ name: 'zhang' }, { ...server, login_mode: 'certificate' })).not.toContain('--user');
  expect(command({ name: 'zhang' }, { ...server, login_mode: 'password' })).not.toContain('--sslkey');
  expect(quoted('plain')).toBe('plain');
});

test('a pool is proposed beside those that there are, with room enough', () => {
  expect(freePool([])).toBe('10.250.0.0/24');
  expect(freePool(['10.250.0.0/24', '10.250.1.128/25', 'fd00::/64', ''])).toBe('10.250.2.0/24');
  expect(freePool(['10.250.0.0/24'], 500)).toBe('10.250.2.0/23');
  expect(freePool(['10.192.0.0/10'])).toBe('10.0.0.0/24');
  expect(freePool(['10.0.0.0/8'])).toBe('');
});

test('a pulse makes stale what it changed', () => {
  const pulse: Pulse = { gateway: 'g', state: 'active', version: 1, sessions: 1, bytes_in: 1, bytes_out: 1 };
  expect(stale(undefined, pulse)).toEqual([]);
  expect(stale(pulse, { ...pulse, bytes_in: 9 })).toEqual([]);
  expect(stale(pulse, { ...pulse, sessions: 2 })).toEqual(['vpn-sessions']);
  expect(stale(pulse, { ...pulse, state: 'error' })).toContain('gateways');
});

test('tables are read in the encodings that spreadsheets save them in', () => {
  const bytes = (...all: number[]) => new Uint8Array(all).buffer;
  expect(decodeTable(bytes(0xef, 0xbb, 0xbf, 0xe6, 0x9d, 0x8e))).toBe('李');
  expect(decodeTable(bytes(0xe6, 0x9d, 0x8e))).toBe('李');
  expect(decodeTable(bytes(0xc0, 0xee, 0xcb, 0xc4))).toBe('李四');
  expect(decodeTable(bytes(0xff, 0xfe, 0x4e, 0x67))).toBe('李');
  expect(decodeTable(bytes(0xfe, 0xff, 0x67, 0x4e))).toBe('李');
  expect(toCSV(['a'], [['＝1+1']])).toContain("'＝1+1");
});
