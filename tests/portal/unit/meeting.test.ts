import { describe, expect, it } from 'vitest';
import { initialState, reduce } from '@portal/store/meeting';
import type { Event, State } from '@portal/store/meeting';
import * as ask from '@portal/store/selectors';
import { person, room } from './objects';

const run = (events: Event[], from: State = initialState('board', 'Ada')) => events.reduce(reduce, from);

const cloud = (id: string, type: string, data: unknown): Event => ({
  type: 'cloud_event',
  event: { id, type, data: data as Record<string, unknown> } as never,
});

const joined: Event = { type: 'joined', participant: 'p1', room: 'board', resumed: false };

const inRoom = () =>
  run([
    { type: 'join_requested', name: 'Ada' },
    joined,
    { type: 'leg_state', state: 'in_room', role: 'host' },
    cloud('10', 'vmr.snapshot', {
      room: room(),
      participants: [person('p1', { role: 'host' }), person('p2'), person('p3', { state: 'lobby', lobby_reason: 'locked' })],
    }),
  ]);

describe('joining', () => {
  it('goes from the join page over the PIN to the room', () => {
    let state = run([{ type: 'join_requested', name: 'Ada' }, joined]);
    expect(state.phase).toBe('connecting');
    state = run([{ type: 'leg_state', state: 'pin', attemptsLeft: 3 }], state);
    expect(state.phase).toBe('pin');
    expect(state.pin).toEqual({ attemptsLeft: 3, wrong: false, waiting: false });
    state = run([{ type: 'pin_sent' }], state);
    expect(state.pin.waiting).toBe(true);
    state = run([{ type: 'leg_state', state: 'pin', attemptsLeft: 2 }], state);
    expect(state.pin).toEqual({ attemptsLeft: 2, wrong: true, waiting: false });
    state = run([{ type: 'leg_state', state: 'in_room', role: 'host' }], state);
    expect([state.phase, state.me.role]).toEqual(['in_room', 'host']);
  });

  it('shows why it failed and can be tried again', () => {
    const state = run([{ type: 'join_requested', name: 'Ada' }, { type: 'join_failed', message: 'no such meeting' }]);
    expect([state.phase, state.joinError, state.me.name]).toEqual(['prejoin', 'no such meeting', 'Ada']);
    expect(run([{ type: 'join_requested', name: 'Ada' }], state).joinError).toBe('');
  });
});

describe('lobby', () => {
  it('forgets the room the moment it is outside', () => {
    const state = run([{ type: 'leg_state', state: 'lobby', reason: 'held' }], inRoom());
    expect(state.phase).toBe('lobby');
    expect(state.lobbyReason).toBe('held');
    expect(state.participants).toEqual({});
    expect(state.room).toBeNull();
    expect(state.lastEventId).toBe('');
  });

  it('lists who waits apart from who is in', () => {
    const state = inRoom();
    expect(ask.inRoom(state).map((one) => one.id)).toEqual(['p1', 'p2']);
    expect(ask.waiting(state).map((one) => one.id)).toEqual(['p3']);
  });
});

describe('room events', () => {
  it('follow promotion and demotion of oneself', () => {
    const state = run([cloud('11', 'vmr.participant.updated', person('p1', { role: 'guest' }))], inRoom());
    expect(state.me.role).toBe('guest');
    expect(ask.may(state, 'mute')).toBe(false);
    const granted = run([cloud('12', 'vmr.participant.updated', person('p1', { grants: ['mute'] }))], state);
    expect([ask.may(granted, 'mute'), ask.may(granted, 'admit')]).toEqual([true, false]);
  });

  it('show who is being called until they answer, and tell a host why they did not', () => {
    const ringing = cloud('11', 'vmr.participant.joined', person('p9', { name: 'Zoe', state: 'connecting', call: 'ringing' }));
    const state = run([ringing], inRoom());
    expect(ask.called(state).map((one) => one.id)).toEqual(['p9']);
    expect(ask.entering(state).map((one) => one.id)).not.toContain('p9');
    const answered = run([cloud('12', 'vmr.participant.updated', person('p9', { name: 'Zoe' }))], state);
    expect(ask.called(answered)).toEqual([]);
    const gone = (cause: string) => cloud('12', 'vmr.participant.left', person('p9', { ended: { cause, text: '486 Busy Here' } }));
    expect(run([gone('busy')], state).toasts.at(-1)?.text).toBe('Zoe was not reached: 486 Busy Here');
    expect(run([gone('removed')], state).toasts).toEqual(state.toasts);
    expect(run([gone('busy')], answered).toasts).toEqual(state.toasts);
  });

  it('mark exactly who talks', () => {
    const state = run([cloud('11', 'vmr.talking', { participants: ['p2'] })], inRoom());
    expect(ask.talkers(state).map((one) => one.id)).toEqual(['p2']);
    const quiet = run([cloud('12', 'vmr.talking', { participants: [] })], state);
    expect(ask.talkers(quiet)).toEqual([]);
  });

  it('that were seen before change nothing', () => {
    const state = run([cloud('12', 'vmr.participant.left', person('p2'))], inRoom());
    const replayed = run([cloud('11', 'vmr.participant.joined', person('p2'))], state);
    expect(replayed).toBe(state);
  });

  it('survive data of the wrong shape', () => {
    const state = inRoom();
    for (const data of [null, 7, [], { participants: 'x' }, { id: 5 }]) {
      for (const type of ['vmr.room.updated', 'vmr.participant.joined', 'vmr.talking', 'vmr.announcement']) {
        expect(ask.inRoom(run([cloud('99', type, data)], state))).toHaveLength(2);
      }
    }
  });

  it('announce in toasts, few at a time', () => {
    const many = Array.from({ length: 9 }, (_, n) => cloud(String(20 + n), 'vmr.announcement', { kind: 'joined', text: `t${n}` }));
    const state = run(many, inRoom());
    expect(state.toasts.map((one) => one.text)).toEqual(['t5', 't6', 't7', 't8']);
    const first = state.toasts[0]!;
    expect(run([{ type: 'toast_closed', id: first.id }], state).toasts).toHaveLength(3);
  });

  it('tell who muted: a host in words of its own, the own switch in none', () => {
    const words = (state: State) => state.toasts.map((one) => one.text);
    const muted = run([
      cloud('11', 'vmr.participant.updated', person('p1', { muted: true })),
      cloud('12', 'vmr.announcement', { kind: 'you_are_muted', text: 'You are muted', to: 'p1' }),
    ], inRoom());
    expect(words(muted)).toHaveLength(1);
    expect(words(muted)[0]).toMatch(/host/);
    const free = run([cloud('13', 'vmr.participant.updated', person('p1', { self_muted: true }))], muted);
    expect(words(free).at(-1)).toMatch(/unmuted you.*still off/);
    const others = run([cloud('14', 'vmr.participant.updated', person('p2', { muted: true }))], inRoom());
    expect(words(others)).toEqual([]);
  });

  it('strike the padlock when one leg is not encrypted', () => {
    const open = person('p4', { crypto: { signalling: 'none', media: 'none', encrypted: false } });
    const state = run([cloud('11', 'vmr.participant.joined', open)], inRoom());
    expect(ask.isUnencrypted(state)).toBe(true);
    expect(ask.isUnencrypted(inRoom())).toBe(false);
  });

  it('show content of others, not my own', () => {
    const mine = run([cloud('11', 'vmr.participant.updated', person('p1', { sharing: true }))], inRoom());
    expect(ask.otherSharer(mine)).toBeUndefined();
    const theirs = run([cloud('12', 'vmr.participant.updated', person('p2', { sharing: true }))], mine);
    expect(ask.otherSharer(theirs)?.id).toBe('p2');
  });
});

describe('a lost connection', () => {
  it('keeps what was shown until the server says otherwise', () => {
    let state = run([{ type: 'connection_lost', attempt: 1 }], inRoom());
    expect([state.phase, ask.inRoom(state).length]).toEqual(['reconnecting', 2]);
    state = run([{ ...joined, resumed: true } as Event, { type: 'leg_state', state: 'in_room' }], state);
    expect([state.phase, state.lastEventId, ask.inRoom(state).length]).toEqual(['in_room', '10', 2]);
  });

  it('is no news after leaving', () => {
    const state = run([{ type: 'left', cause: '' }, { type: 'connection_lost', attempt: 1 }], inRoom());
    expect(state.phase).toBe('left');
  });
});
