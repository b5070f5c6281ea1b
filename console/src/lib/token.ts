import { useEffect, useState } from 'react';

/**
 * The one-time token that the address brought. It is taken out of the address, so that it stays in
 * no history and no referrer; but only once the page stands: React may begin a page, drop it and
 * begin again, and the second beginning must find the token too.
 */
export function useLinkToken(): string {
  const [token, setToken] = useState(readToken);
  useEffect(() => {
    // A link to this very page, pasted where it already stands, changes only the fragment.
    const follow = () => {
      const next = readToken();
      if (!next) return;
      setToken(next);
      forget();
    };
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => {
    if (token) forget();
  }, [token]);
  return token;
}

function forget(): void {
  window.history.replaceState(window.history.state, '', window.location.pathname);
}

function readToken(): string {
  const { hash, search } = window.location;
  return new URLSearchParams(hash.slice(1)).get('token') ?? new URLSearchParams(search).get('token') ?? '';
}
