// The forms of addresses and networks, so that a slip is told while typing. What may overlap with what
// is decided by the API.

function octets(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const numbers = parts.map((p) => (/^\d{1,3}$/.test(p) ? Number(p) : 256));
  return numbers.every((n) => n <= 255) ? numbers : undefined;
}

export function validIPv4(text: string): boolean {
  return octets(text.trim()) !== undefined;
}

/** A network in CIDR form whose host bits are zero, with its prefix length between low and high. */
export function validCIDR(text: string, low = 8, high = 32): boolean {
  const [address = '', bits = ''] = text.trim().split('/');
  const parts = octets(address);
  if (!parts || !/^\d{1,2}$/.test(bits)) return false;
  const length = Number(bits);
  if (length < low || length > high) return false;
  const value = parts.reduce((sum, n) => sum * 256 + n, 0);
  return value % 2 ** (32 - length) === 0;
}

/** Ports and ranges of them, such as "22,8000-8099". */
export function validPorts(text: string): boolean {
  return text.split(',').every((part) => {
    const [, low, high = low] = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part) ?? [];
    return Number(low) >= 1 && Number(low) <= Number(high) && Number(high) <= 65535;
  });
}

/** The eight groups of an IPv6 address, undefined if it is none. */
function groups(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const parts = (half: string) => (half === '' ? [] : half.split(':'));
  const [head, tail] = [parts(halves[0] ?? ''), parts(halves[1] ?? '')];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!all.every((g) => /^[0-9a-f]{1,4}$/i.test(g))) return undefined;
  return all.map((g) => Number.parseInt(g, 16));
}

export function validIPv6(text: string): boolean {
  return groups(text.trim()) !== undefined;
}

/** validCIDR for IPv6. */
export function validCIDR6(text: string, low = 16, high = 128): boolean {
  const [address = '', bits = ''] = text.trim().split('/');
  const parts = groups(address);
  if (!parts || !/^\d{1,3}$/.test(bits)) return false;
  const length = Number(bits);
  if (length < low || length > high) return false;
  return parts.every((value, i) => value % 2 ** Math.min(16, Math.max(0, 16 * (i + 1) - length)) === 0);
}

/** Whether a text speaks of IPv6 at all. */
export function isIPv6(text: string): boolean {
  return text.includes(':');
}

/** A network of either family, as wide as one likes. */
export function validPrefix(text: string): boolean {
  return validCIDR(text, 0) || validCIDR6(text, 0);
}

/** A network of either family that a server or client may have. */
export function validNetwork(text: string): boolean {
  return validCIDR(text) || validCIDR6(text);
}

/** A network of unique local addresses that hardly anybody else has: 40 random bits (RFC 4193). */
export function randomULA(): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = crypto.getRandomValues(new Uint8Array(5));
  const hex = [0xfd00 + a, b * 256 + c, d * 256 + e].map((g) => g.toString(16));
  return `${hex.join(':')}::/64`;
}

/** How many clients a pool can serve: without its network, gateway and broadcast addresses. */
export function usable(pool: string): number {
  if (!validCIDR(pool, 8, 30)) return 0;
  return 2 ** (32 - Number(pool.split('/')[1])) - 3;
}

/** First and last address of an IPv4 network as numbers; nothing of what is none. */
function span(cidr: string): [number, number] | undefined {
  if (!validCIDR(cidr, 0)) return undefined;
  const [address = '', bits = ''] = cidr.trim().split('/');
  const first = (octets(address) ?? []).reduce((sum, n) => sum * 256 + n, 0);
  return [first, first + 2 ** (32 - Number(bits)) - 1];
}

/** A pool with room for so many connections that overlaps with nothing taken; empty if there is none. */
export function freePool(taken: string[], connections = 0): string {
  let bits = 24;
  while (bits > 16 && usable(`0.0.0.0/${bits}`) < connections) bits--;
  const spans = taken.map(span).filter((s) => s !== undefined);
  for (let first = 0; first < 2 ** 24; first += 2 ** (32 - bits)) {
    const at = (first + 250 * 2 ** 16) % 2 ** 24; // 10.250.0.0 and on, then from 10.0.0.0
    const pool = `10.${at >> 16}.${(at >> 8) & 255}.0/${bits}`;
    const [low, high] = span(pool) ?? [0, 0];
    if (!spans.some(([a, b]) => a <= high && low <= b)) return pool;
  }
  return '';
}

/** Entries of a text, by line, comma or space. */
export function entries(text: string): string[] {
  return text.split(/[\s,;，；]+/).filter(Boolean);
}
