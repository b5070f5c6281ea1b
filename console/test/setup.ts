import { afterEach, beforeEach, vi } from 'vitest';
import { cleanup, configure } from '@testing-library/react';

// Machines that build several things at once are slow; only a wait that fails takes this long.
configure({
  asyncUtilTimeout: 15_000,
  getElementError: (message) => new Error(message ?? 'element not found'),
});

// What browsers have and jsdom has not.
beforeEach(() => {
  vi.stubGlobal('matchMedia', (query: string) => ({
    matches: query.includes('max-width') && window.innerWidth < 768,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
  }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
});

afterEach(() => {
  cleanup();
  window.innerWidth = 1440;
});
