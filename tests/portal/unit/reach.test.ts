import { describe, expect, it } from 'vitest';
import { meetingNumber } from '@portal/ui/reach';

describe('meetingNumber', () => {
  it('is the room\u2019s own number, else an alias of digits, else none', () => {
    expect(meetingNumber({ aliases: ['board', '4711'], numbers: ['2000', '2001'] })).toBe('2000');
    expect(meetingNumber({ aliases: ['board', '4711'], numbers: [] })).toBe('4711');
    expect(meetingNumber({ aliases: ['board', '4711a'] })).toBeUndefined();
  });

  it('is what a telephone can type', () => {
    expect(meetingNumber({ aliases: ['board', '4711'], numbers: ['+4930123456'] })).toBe('4711');
    expect(meetingNumber({ aliases: ['board'], numbers: ['+4930123456', '2000'] })).toBe('2000');
    expect(meetingNumber({ aliases: ['board'], numbers: ['+4930123456'] })).toBeUndefined();
  });
});
