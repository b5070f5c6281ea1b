import { expect, test } from 'vitest';
import { readFile } from './file';

test('a file is read as base64 with the digest of its bytes', async () => {
  const got = await readFile(new Blob([new Uint8Array([0, 255, 97])]));
  expect(got.content).toBe('AP9h');
  const want = await crypto.subtle.digest('SHA-256', new Uint8Array([0, 255, 97]));
  expect(got.sha256).toBe(Buffer.from(want).toString('hex'));
  expect(got.sha256).toHaveLength(64);
});
