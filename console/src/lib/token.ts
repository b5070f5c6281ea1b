/** Takes the one-time token out of the address, so that it stays in no history and no referrer. */
export function takeToken(): string {
  const { hash, search, pathname } = window.location;
  const token =
    new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token') ?? '';
  if (token) window.history.replaceState(window.history.state, '', pathname);
  return token;
}
