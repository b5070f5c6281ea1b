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

/** A session that ended goes on where the person asked to be kept signed in on this device. */
async function resumed(error: unknown): Promise<Me> {
  if (!(error instanceof Problem) || error.status !== 401) throw error;
  await api.account.resume();
  return api.account.me();
}

function nobody(error: unknown): null {
  if (error instanceof Problem && error.status === 401) return null;
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
