import { lazy, Suspense } from 'react';
import { expect, test } from 'vitest';
import { render, screen } from '@testing-library/react';
import { useLinkToken } from '../src/lib/token';

test('a page that React begins twice finds the token both times, and the address forgets it', async () => {
  window.history.replaceState(null, '', '/verify-email#token=example-token');
  const Late = lazy(() => Promise.resolve({ default: () => 'late' }));
  const begun: string[] = [];
  function Page() {
    const token = useLinkToken();
    begun.push(token);
    return (
      <p>
        {token} <Late />
      </p>
    );
  }
  render(
    <Suspense fallback="waiting">
      <Page />
    </Suspense>,
  );
  await screen.findByText('example-token late');
  expect(begun.length).toBeGreaterThan(1);
  expect(window.location.href).not.toContain('token');
});
