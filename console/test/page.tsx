// A page as a person meets it: the real router, queries and words, with only the network stood in for.

import type { ReactNode } from 'react';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import { MemoryRouter } from 'react-router';
import { vi } from 'vitest';
import { newClient, Pages, Styled } from '../src/app';
import { startI18n } from '../src/lib/i18n';
import type { Language } from '../src/lib/prefs';
import { SettingsProvider } from '../src/lib/settings';
import type { Me } from '../src/api/types';

export interface Sent {
  method: string;
  path: string;
  query: URLSearchParams;
  key: string | null;
  match: string | null;
  body: unknown;
}

type Answer = unknown | ((sent: Sent) => unknown);

/** An answer that is a problem. */
export class Refused {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly params: Record<string, unknown> = {},
  ) {}
}

/** Answers "METHOD /path" from a table; what is not in it is 404. Returns what was sent. */
export function serve(table: Record<string, Answer>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const one: Sent = {
      method: request.method,
      path: url.pathname.replace('/api/v1', ''),
      query: url.searchParams,
      key: request.headers.get('Idempotency-Key'),
      match: request.headers.get('If-Match'),
      body: text ? JSON.parse(text) : undefined,
    };
    sent.push(one);
    const entry = table[`${one.method} ${one.path}`] ?? new Refused(404, 'test.absent');
    const answer = typeof entry === 'function' ? (entry as (s: Sent) => unknown)(one) : entry;
    if (answer instanceof Refused) {
      const problem = {
        title: `Sentence of ${answer.code}`,
        code: answer.code,
        params: answer.params,
        request: 'req_1',
      };
      return new Response(JSON.stringify(problem), { status: answer.status });
    }
    if (answer === undefined) return new Response(null, { status: 204 });
    return new Response(JSON.stringify(answer), { status: 200 });
  });
  return sent;
}

export const me: Me = {
  account: 'acc_1',
  age: { age_group: '', needs: '' },
  user_name: 'lin',
  email_verified: true,
  locale: 'en',
  totp: false,
  recovery_left: 0,
  staff: false,
  enrol_totp: false,
  permissions: [],
  consents_due: [],
  mfa: false,
  step_up_until: '0001-01-01T00:00:00Z',
  created_at: '2026-01-01T00:00:00Z',
};

export const list = <T,>(...items: T[]) => ({ items, next_cursor: '' });

function Around({ children, language }: { children: ReactNode; language: Language }) {
  return (
    <SettingsProvider initial={{ language, theme: 'light' }}>
      <QueryClientProvider client={newClient()}>
        <Styled>{children}</Styled>
      </QueryClientProvider>
    </SettingsProvider>
  );
}

export async function show(content: ReactNode, path = '/', language: Language = 'en') {
  await startI18n(language);
  return render(
    <Around language={language}>
      <MemoryRouter initialEntries={[path]}>{content}</MemoryRouter>
    </Around>,
  );
}

/** The whole console at a path. */
export const visit = (path: string, language?: Language) => show(<Pages />, path, language);
