// Who is signed in. The session itself is a cookie that the page cannot read; GET /me tells.

import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api';
import { onProblem, Problem } from '../api/http';
import type { Me } from '../api/types';

const Context = createContext<Me | undefined>(undefined);

/** The signed-in person; only pages inside the frame may ask. */
export function useMe(): Me {
  const me = useContext(Context);
  if (!me) throw new Error('useMe outside of a session');
  return me;
}

export const MeProvider = Context.Provider;

/** Nobody is undefined; a problem other than that is the query's error. */
export function useSession() {
  const client = useQueryClient();
  useEffect(
    () =>
      onProblem((problem) => {
        // A session that ended while a page was open.
        if (problem.status === 401 && client.getQueryData(['me'])) client.setQueryData(['me'], null);
      }),
    [client],
  );
  return useQuery<Me | null>({
    queryKey: ['me'],
    queryFn: () => api.account.me().catch(resumed).catch(nobody),
    staleTime: 60_000,
    retry: false,
  });
}

/**
 * A session that ended goes on where the person asked to be kept signed in on this device. A remember
 * token works once, and one seen twice ends its family: of several tabs that open together one trades
 * it, and the others find the session that it made.
 */
async function resumed(error: unknown): Promise<Me> {
  if (!isNobody(error)) throw error;
  const locks = navigator.locks as LockManager | undefined; // absent without TLS
  return locks ? locks.request('resume', resume) : resume();
}

async function resume(): Promise<Me> {
  try {
    return await api.account.me();
  } catch (error) {
    if (!isNobody(error)) throw error;
  }
  await api.account.resume();
  return api.account.me();
}

const isNobody = (error: unknown) => error instanceof Problem && error.status === 401;

function nobody(error: unknown): null {
  if (isNobody(error)) return null;
  throw error;
}

export function can(me: Me, permission?: string): boolean {
  return permission === undefined || (me.staff && me.permissions.includes(permission));
}

/** Shows children to staff who hold the permission, and otherwise says so. */
export function Allowed({
  permission,
  otherwise,
  children,
}: {
  permission?: string;
  otherwise: ReactNode;
  children: ReactNode;
}) {
  return can(useMe(), permission) ? children : otherwise;
}
