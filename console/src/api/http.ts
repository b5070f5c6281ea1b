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

/** An act that needs a fresh proof of who is there is answered with this. */
const stepUpCode = 'account.step_up_required';

type Asker = () => Promise<boolean>;
let asker: Asker | undefined;

/** Names who asks the person for a proof; true means that it was given. */
export function askStepUpWith(ask: Asker | undefined): void {
  asker = ask;
}

/** Sends a request; what is not a success is thrown as a Problem. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  try {
    return await attempt(request);
  } catch (error) {
    const needed = error instanceof Problem && error.code === stepUpCode;
    if (!needed || !asker || !(await asker())) throw error;
    return attempt(again);
  }
}

async function attempt(request: Request): Promise<Response> {
  const response = await exchange(request);
  if (response.ok) return response;
  const problem = await problemOf(response);
  for (const watcher of watchers) watcher(problem);
  throw problem;
}

async function exchange(request: Request): Promise<Response> {
  request.headers.set('Accept-Language', document.documentElement.lang);
  try {
    return await fetch(request);
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Problem(0, 'console.unreachable', '');
  }
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
