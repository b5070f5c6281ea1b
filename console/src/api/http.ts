// One request to the API. The session is a cookie; requests that create carry an idempotency key, so
// that a repeated click or a retry after a broken connection does not create twice.

/** An RFC 9457 answer, or one made up here when no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly sentence: string,
    readonly request?: string,
    readonly clause?: string,
    readonly fields: { location: string; message: string }[] = [],
    readonly params: Record<string, unknown> = {},
  ) {
    super(code);
  }
}

/** What answers a gate that is shut until the person decides (anew). */
export const gateCodes = ['consent.renewal_needed', 'consent.gate_closed'];

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  key?: string;
  signal?: AbortSignal;
}

export const prefix = '/api/v1';

type Watcher = (problem: Problem) => void;
const watchers = new Set<Watcher>();

/** Tells watcher of every problem (sign-in ended, a policy waits); returns how to stop. */
export function onProblem(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function address(path: string, query: CallOptions['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return prefix + path + (text ? `?${text}` : '');
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.ok) return (await body(response)) as T;
  const problem = await problemOf(response);
  for (const watcher of watchers) watcher(problem);
  throw problem;
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json' };
  headers['Accept-Language'] = document.documentElement.lang;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.key) headers['Idempotency-Key'] = options.key;
  try {
    return await fetch(address(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: 'same-origin',
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Problem(0, 'console.unreachable', '');
  }
}

async function body(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}

async function problemOf(response: Response): Promise<Problem> {
  const request = response.headers.get('X-Request-Id') ?? undefined;
  try {
    const p = (await response.json()) as Record<string, unknown>;
    return new Problem(
      response.status,
      String(p.code ?? `http.${response.status}`),
      String(p.title ?? ''),
      (p.request as string | undefined) ?? request,
      p.clause as string | undefined,
      (p.problems as { location: string; message: string }[] | undefined) ?? [],
      (p.params as Record<string, unknown> | undefined) ?? {},
    );
  } catch {
    return new Problem(response.status, `http.${response.status}`, '', request);
  }
}
