import { fireEvent, screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { serve, visit } from './page';

const clause = { must: 'x', must_zh: '某', tests: ['internal/a.TestA'], enforced_by: ['internal/a.B'] };

test('anybody sees each promise, what keeps it, and evidence that is not as expected', async () => {
  serve({
    'GET /trust': {
      program: '1.4.0',
      data_map_sha256: 'ab'.repeat(32),
      clauses: [
        {
          ...clause,
          id: 'LT-1.1b',
          state: 'enforced',
          query: 'provision_without_verification',
          evidence: {
            state: 'unexpected',
            examined: 9,
            found: 2,
            checks: 31,
            checked_at: '2026-11-01T00:00:00Z',
          },
        },
        { ...clause, id: 'TY-2.1', state: 'planned', enforced_by: [], tests: [], planned: 'the client' },
      ],
    },
  });
  await visit('/trust');
  const kept = within(await screen.findByRole('region', { name: 'LT-1.1b' }));
  expect(kept.getByText('Kept by the program')).toBeTruthy();
  expect(kept.getByText(/9 looked at, 2 should not be; asked 31 times/)).toBeTruthy();
  expect(kept.getByText('internal/a.TestA')).toBeTruthy();
  expect(kept.getByRole('link').getAttribute('href')).toBe('/policies/platform#LT-1.1b');
  expect(within(screen.getByRole('region', { name: 'TY-2.1' })).queryByRole('link')).toBeNull();
  fireEvent.change(screen.getByLabelText('Number, words or symbol'), { target: { value: 'ty-2' } });
  expect(screen.queryByRole('region', { name: 'LT-1.1b' })).toBeNull();
});

test('an outsider takes the key and the newest checkpoint of the log away', async () => {
  const taken: string[] = [];
  Object.defineProperty(navigator, 'clipboard', {
    configurable: true,
    value: { writeText: (text: string) => Promise.resolve(void taken.push(text)) },
  });
  const checkpoint = 'c.example/log\n7\nq7Tf=\n\n— c.example/log WhwD\n';
  serve({
    'GET /trust': {
      program: '1.4.0',
      data_map_sha256: 'ab'.repeat(32),
      clauses: [],
      log: {
        verifier: 'c.example/log+5a1c03de+AZk9',
        checkpoint,
        size: 7,
        root: 'q7Tf=',
        signature: '— c.example/log WhwD',
        signed_at: '2026-11-01T00:00:00Z',
      },
    },
  });
  await visit('/trust');
  const pin = within(await screen.findByRole('region', { name: 'Keep this to check us later' }));
  expect(pin.getByText(/^7 entries, signed /)).toBeTruthy();
  expect(pin.getByText('q7Tf=')).toBeTruthy();
  fireEvent.click(pin.getByRole('button', { name: /c\.example\/log\+5a1c03de/ }));
  fireEvent.click(pin.getByRole('button', { name: /the whole/ }));
  expect(taken).toEqual(['c.example/log+5a1c03de+AZk9', checkpoint]);
});
