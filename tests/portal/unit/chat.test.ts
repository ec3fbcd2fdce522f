import { describe, expect, it } from 'vitest';
import { initialState, reduce } from '@portal/store/meeting';
import type { Event, State } from '@portal/store/meeting';
import * as ask from '@portal/store/selectors';
import { person, room } from './objects';

const run = (events: Event[], from: State) => events.reduce(reduce, from);

const cloud = (id: string, type: string, data: unknown): Event => ({
  type: 'cloud_event',
  event: { id, type, data: data as Record<string, unknown>, time: '2026-01-01T10:00:00Z' } as never,
});

const said = (id: string, participant: string | undefined, text = 'hello') =>
  cloud(id, 'vmr.message', { ...(participant && { participant }), name: participant ?? 'Board', text });

const open: Event = { type: 'panel', panel: 'chat' };

const inRoom = (role: 'host' | 'guest' = 'guest', changes = {}) =>
  run([
    { type: 'join_requested', name: 'Ada' },
    { type: 'joined', participant: 'p1', room: 'board', resumed: false },
    { type: 'leg_state', state: 'in_room', role },
    cloud('10', 'vmr.snapshot', { room: room(changes), participants: [person('p1', { role }), person('p2')] }),
  ], initialState('board', 'Ada'));

describe('chat', () => {
  it('counts what is unread and shows the latest for a moment', () => {
    const state = run([said('11', 'p2'), said('12', 'p2', 'are you there?')], inRoom());
    expect(state.chat.unread).toBe(2);
    expect(state.chat.lines.map((one) => one.text)).toEqual(['hello', 'are you there?']);
    expect(state.toasts.map((one) => one.text)).toEqual(['p2: are you there?']);
    const reading = run([open, said('13', 'p2')], state);
    expect([reading.chat.unread, reading.toasts, reading.chat.lines.length]).toEqual([0, [], 3]);
    const closed = run([open, said('14', 'p2')], reading);
    expect([closed.panel, closed.chat.unread]).toEqual(['none', 1]);
  });

  it('does not tell me what I wrote', () => {
    const state = run([said('11', 'p1')], inRoom());
    expect([state.chat.unread, state.toasts, state.chat.lines[0]?.participant]).toEqual([0, [], 'p1']);
  });

  it('takes text as it is', () => {
    const text = '<img src=x onerror=alert(1)> {name} $& \n second line';
    const state = run([said('11', undefined, text)], inRoom());
    expect(state.chat.lines).toEqual([{ id: '11', participant: '', name: 'Board', text, at: '2026-01-01T10:00:00Z' }]);
    expect(state.toasts[0]?.text).toBe(`Board: ${text}`);
  });

  it('shows nothing twice, and nothing malformed', () => {
    const again = [said('11', 'p2'), said('11', 'p2'), cloud('12', 'vmr.message', { name: 'x' }), cloud('13', 'vmr.message', null)];
    expect(run(again, inRoom()).chat.lines).toHaveLength(1);
  });

  it('keeps a bounded number of lines', () => {
    const many = Array.from({ length: 600 }, (_, index) => said(String(11 + index), 'p2', `t${index}`));
    const { lines } = run(many, inRoom()).chat;
    expect([lines.length, lines.at(-1)?.text]).toEqual([500, 't599']);
  });

  it('stays over a lost connection, and ends with the stay in the room', () => {
    const state = run([said('11', 'p2'), open], inRoom());
    const back = run([
      { type: 'connection_lost', attempt: 1 },
      { type: 'joined', participant: 'p1', room: 'board', resumed: true },
      { type: 'leg_state', state: 'in_room' },
    ], state);
    expect([back.chat.lines.length, back.panel]).toEqual([1, 'chat']);
    for (const end of [
      { type: 'leg_state', state: 'lobby', reason: 'held' },
      { type: 'left', cause: '' },
      { type: 'joined', participant: 'p9', room: 'board', resumed: false },
    ] as Event[]) {
      expect(run([end], state).chat).toEqual({ lines: [], unread: 0 });
    }
    expect(run([{ type: 'leg_state', state: 'lobby', reason: 'held' }], state).panel).toBe('none');
  });

  it('lets guests write where they may, and hosts always', () => {
    expect([ask.mayWrite(inRoom()), ask.mayWrite(inRoom('guest', { chat_allowed: false }))]).toEqual([true, false]);
    expect(ask.mayWrite(inRoom('host', { chat_allowed: false }))).toBe(true);
    const off = run([cloud('11', 'vmr.room.updated', room({ chat_allowed: false }))], inRoom());
    expect(ask.mayWrite(off)).toBe(false);
  });
});
