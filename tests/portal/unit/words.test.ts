import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { retryDelay } from '@portal/session/backoff';
import { fill } from '@portal/strings';

const root = process.env.VMR_SOURCE_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url));

describe('fill', () => {
  it('fills what it knows and leaves the rest', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
    expect(fill('{name}', { name: '$& {name}' })).toBe('$& {name}');
  });
});

describe('retryDelay', () => {
  it('starts at once, doubles, and stays under its caps', () => {
    expect([1, 2, 3, 4, 5, 6].map((n) => retryDelay(n, 0, 1))).toEqual([0, 250, 500, 1000, 2000, 2000]);
    expect(retryDelay(30, 120_000, 1)).toBe(30_000);
    expect(retryDelay(5, 0, 0)).toBe(1500);
  });
});

describe('the generated API types', () => {
  const schema = `${root}/schemas/api/openapi.json`;
  it.skipIf(!existsSync(schema))('are those of the schema', () => {
    // A process of its own: vite loads nothing from outside the tests' folder.
    const types = execFileSync(process.execPath, [`${root}/portal/tools/api-types.mjs`, schema], { encoding: 'utf8' });
    expect(readFileSync(`${root}/portal/src/api-types.ts`, 'utf8')).toBe(types);
  });

  it('have no registry address in the lock files', () => {
    for (const folder of ['portal', 'tests/portal']) {
      expect(readFileSync(`${root}/${folder}/package-lock.json`, 'utf8')).not.toMatch(/"resolved"|registry\./);
    }
  });
});
