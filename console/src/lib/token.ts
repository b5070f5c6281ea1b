import { useEffect, useState } from 'react';

/**
 * The one-time token that the address brought. It is taken out of the address, so that it stays in
 * no history and no referrer; but only once the page stands: React may begin a page, drop it and
 * begin again, and the second beginning must find the token too.
 */
export function useLinkToken(): string {
  const [token] = useState(readToken);
  useEffect(() => {
    if (token) window.history.replaceState(window.history.state, '', window.location.pathname);
  }, [token]);
  return token;
}

function readToken(): string {
  const { hash, search } = window.location;
  return new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token') ?? '';
}
