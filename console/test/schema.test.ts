// The committed types are those of the committed description of the API.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';
import { expect, test } from 'vitest';

test('npm run generate has been run', async () => {
  const root = join(import.meta.dirname, '..');
  const description = JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8')) as OpenAPI3;
  const types = COMMENT_HEADER + astToString(await openapiTS(description, { defaultNonNullable: false }));
  expect(types.trim() === readFileSync(join(root, 'src/api/schema.d.ts'), 'utf8').trim()).toBe(true);
});
