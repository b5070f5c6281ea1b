import type { SSLClient, SSLServer } from '../api/types';

/** Where an SSL server is reached: its name, with the port unless it is the usual one. */
export function hostPort(server: Pick<SSLServer, 'server_names' | 'port'>): string {
  const name = server.server_names[0] ?? '';
  return server.port === 443 ? name : `${name}:${server.port}`;
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9._:/=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * How stock openconnect connects, from the directory of the unpacked bundle. With an address it
 * works before the server's name is in the DNS.
 */
export function command(client: Pick<SSLClient, 'name'>, server: SSLServer, address?: string): string {
  const words = ['sudo', 'openconnect', '--protocol=anyconnect'];
  if (server.login_mode !== 'certificate') words.push(`--user=${client.name}`);
  if (server.login_mode !== 'password') words.push('--certificate=client.pem', '--sslkey=key.pem');
  words.push('--cafile=ca.pem');
  if (server.pin) words.push(`--servercert=${server.pin}`);
  if (address && server.server_names[0]) words.push(`--resolve=${server.server_names[0]}:${address}`);
  words.push(`https://${hostPort(server)}/`);
  return words.map(quoted).join(' ');
}
