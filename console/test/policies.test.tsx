import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import type { PolicyLine } from '../src/api/types';
import { dayAhead, runs, toDraft } from '../src/pages/admin-policies';
import { list, me, serve, visit } from './page';

const line = (kind: PolicyLine['kind'], text: string): PolicyLine => ({ kind, text });
const published = {
  document: 'platform',
  version: '1.0.0',
  title: 'Platform privacy policy',
  change: 'major',
  sha256: 'aa'.repeat(32),
  published_at: '2026-11-02T08:00:00Z',
  effective_at: '2026-11-02T08:00:00Z',
  published_by: 'system',
};
const preview = {
  ...published,
  version: '1.0.1',
  change: 'minor',
  sha256: 'bb'.repeat(32),
  replaces: '1.0.0',
  asked: true,
  unchanged: false,
  problems: [] as { clause: string; what: string; promise: boolean }[],
  lines: [line('same', 'title'), line('removed', 'old words'), line('added', 'new words')],
  html: '<p>new words</p>',
};
const pages = (permissions: string[], draft: object) => ({
  'GET /me': { ...me, staff: true, permissions },
  'GET /notices': list(),
  'GET /admin/policies': list(published),
  'GET /admin/policies/platform/draft': draft,
  'POST /admin/policies': { ...published, version: '1.0.1' },
});

test('what changed stands with a line around it, and what did not is counted', () => {
  const lines = [
    ...Array.from({ length: 5 }, () => line('same', 'x')),
    line('added', 'y'),
    line('same', 'z'),
    line('same', 'end'),
  ];
  const all = runs(lines);
  expect(all.map((r) => [r.skipped, r.lines.length])).toEqual([
    [4, 3],
    [1, 0],
  ]);
  expect(runs([line('same', 'x')])).toEqual([{ key: 1, skipped: 1, lines: [] }]);
});

test('a version holds from the beginning of a day in Beijing', () => {
  expect(dayAhead(8, Date.parse('2026-11-29T17:00:00Z'))).toBe('2026-12-08');
  expect(toDraft('platform', true, '2026-12-08')).toEqual({
    document: 'platform',
    major: true,
    effective_at: '2026-12-07T16:00:00.000Z',
  });
});

test('what was looked at is what is published, in two steps', async () => {
  const sent = serve(pages(['consent.read', 'consent.publish'], preview));
  await visit('/admin/policies');
  expect(await screen.findByText('Nothing stands against publishing it.')).toBeTruthy();
  expect(screen.getByText('new words', { selector: '.added span' })).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Publish 1.0.1' }));
  const dialog = within(await screen.findByRole('dialog'));
  const act = dialog.getByRole<HTMLButtonElement>('button', { name: 'Publish 1.0.1' });
  expect(act.disabled).toBe(true);
  fireEvent.click(dialog.getByRole('checkbox'));
  fireEvent.click(act);
  await waitFor(() => expect(sent.some((s) => s.method === 'POST')).toBe(true));
  const body = sent.find((s) => s.method === 'POST')?.body as Record<string, unknown>;
  expect(body).toMatchObject({ document: 'platform', major: false, sha256: preview.sha256 });
});

test('a finding is told with its clause, and nothing can be published', async () => {
  serve(
    pages(['consent.read', 'consent.publish'], {
      ...preview,
      problems: [{ clause: 'LT-1.1c', what: 'cites an article that is not in force', promise: false }],
    }),
  );
  await visit('/admin/policies');
  expect(await screen.findByText('One finding stands against publishing it')).toBeTruthy();
  expect(screen.getByText('LT-1.1c', { exact: false })).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Publish 1.0.1' }).disabled).toBe(true);
});

test('who may only read is offered no publication', async () => {
  serve(pages(['consent.read'], preview));
  await visit('/admin/policies');
  expect(await screen.findByText('Publishing belongs to security administration.')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Publish 1.0.1' })).toBeNull();
});
