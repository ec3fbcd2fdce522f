import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepPlace, takePlace } from '@portal/session/place';

const place = { alias: 'board', token: 't1', name: 'Ada', microphone: true, camera: false };
const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('the place kept over a reload', () => {
  it('is given once', () => {
    keepPlace(place, 1_000);
    expect(takePlace('board', 2_000)).toEqual(place);
    expect([takePlace('board', 2_000), kept.size]).toEqual([null, 0]);
  });

  it.each([
    ['another room', 'other', 2_000],
    ['too late', 'board', 31_001],
    ['a clock set back', 'board', 999],
  ])('is not given for %s, and is gone then', (_why, alias, now) => {
    keepPlace(place, 1_000);
    expect(takePlace(alias, now)).toBeNull();
    expect(kept.size).toBe(0);
  });

  it('is nothing where storage is off or holds something else', () => {
    for (const junk of ['', 'null', '7', '{"alias":"board"}', `{"alias":"board","token":"${'x'.repeat(600)}","name":"Ada","at":1}`]) {
      kept.set('vmr.place', junk);
      expect(takePlace('board', 2)).toBeNull();
    }
    vi.stubGlobal('sessionStorage', undefined);
    expect(() => keepPlace(place, 1)).not.toThrow();
    expect(takePlace('board', 2)).toBeNull();
  });
});
