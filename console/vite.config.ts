import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// antd gives the nonce to the styles of its components, but not to those with which it locks the
// page's scrolling and measures scroll bars: they take it from the page.
const noncePattern = /if \(csp\?\.nonce\) \{\s*styleNode\.nonce = csp\?\.nonce;\s*\}/;

function styleNonce(): Plugin {
  return {
    name: 'style-nonce',
    transform(code, id) {
      if (!id.includes('@rc-component/util/es/Dom/dynamicCSS.js')) return undefined;
      if (!noncePattern.test(code)) this.error('antd injects styles in another way now: see style-nonce');
      const nonce = `csp?.nonce || document.querySelector('meta[name="csp-nonce"]')?.content`;
      return { code: code.replace(noncePattern, `styleNode.nonce = ${nonce} || '';`), map: null };
    },
  };
}

// The interactive API page (public/api-docs) is served from our own origin, so its parts are
// copied into the build.
function apiDocs(): Plugin {
  const { resolve } = createRequire(import.meta.url);
  return {
    name: 'api-docs',
    apply: 'build',
    generateBundle() {
      for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
        this.emitFile({
          type: 'asset',
          fileName: `api-docs/${file}`,
          source: readFileSync(resolve(`swagger-ui-dist/${file}`)),
        });
      }
    },
  };
}

// The build goes straight into the Go package that embeds it. public/.keep is copied along, so
// that the directory which go:embed names exists in a fresh checkout too.
export default defineConfig({
  plugins: [react(), apiDocs(), styleNonce()],
  build: {
    outDir: '../internal/web/console/dist',
    emptyOutDir: true,
    target: 'es2022',
    // The policy forbids data: URLs; every asset is a file of our own origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1600,
  },
  server: {
    proxy: { '/api': { target: process.env.SKYBRIDGE_API ?? 'http://127.0.0.1:8444', changeOrigin: false } },
  },
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
  },
});
