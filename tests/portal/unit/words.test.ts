import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { retryDelay } from '@portal/session/backoff';
import { fill, refusal, text } from '@portal/strings';

const root = process.env.VMR_SOURCE_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url));

describe('fill', () => {
  it('fills what it knows and leaves the rest', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
    expect(fill('{name}', { name: '$& {name}' })).toBe('$& {name}');
  });
});

describe('refusal', () => {
  // The names in the daemon's tables: what ends a stay must not reach a person as a bare word.
  it.skipIf(!existsSync(`${root}/daemon`))('has words for each cause the daemon names', () => {
    const legs = [...readFileSync(`${root}/daemon/legs/leg.cpp`, 'utf8').matchAll(/CauseRow\{EndCause::\w+, "(\w+)"/g)].map((one) => one[1]!);
    const types = readFileSync(`${root}/daemon/room/types.hpp`, 'utf8');
    const room = [...types.slice(types.indexOf('enum class Cause {'), types.indexOf('struct CryptoReceipt')).matchAll(/^ {4}(\w+),/gm)].map((one) => one[1]!);
    expect([legs.length > 20, room.length > 15]).toEqual([true, true]);
    const ownOrSip = ['hangup', 'normal', 'cancelled', 'no_answer', 'unauthorized']; // one's own leaving; SIP alone
    expect([...legs, ...room].filter((cause) => !ownOrSip.includes(cause) && !text.causes[cause])).toEqual([]);
  });

  it('is sentences', () => {
    expect(refusal('room_full')).toBe('The meeting is full. Try again when somebody has left.');
    expect(refusal('room_ended')).toBe('The meeting has ended.');
    expect(refusal('new_cause', 'As the server says')).toBe('As the server says');
    expect(refusal('new_cause')).not.toBe('');
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
