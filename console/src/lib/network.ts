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

/** A network of either family without host bits; those of IPv6 are left for the API to judge. */
export function validNetwork(text: string): boolean {
  return text.includes(':') ? /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text.trim()) : validCIDR(text, 0);
}

/** Ports and ranges of them, such as "22,8000-8099". */
export function validPorts(text: string): boolean {
  return text.split(',').every((part) => {
    const [, low, high = low] = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part) ?? [];
    return Number(low) >= 1 && Number(low) <= Number(high) && Number(high) <= 65535;
  });
}

/** How many clients a pool can serve: without its network, gateway and broadcast addresses. */
export function usable(pool: string): number {
  if (!validCIDR(pool, 8, 30)) return 0;
  return 2 ** (32 - Number(pool.split('/')[1])) - 3;
}

/** Entries of a text, by line, comma or space. */
export function entries(text: string): string[] {
  return text.split(/[\s,;，；]+/).filter(Boolean);
}
