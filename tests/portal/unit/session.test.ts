import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PeerHandlers } from '@portal/io/peer';
import type { EventHandlers, SignallingHandlers } from '@portal/io/sockets';
import { Session } from '@portal/session/session';
import type { SessionDeps } from '@portal/session/session';
import { initialState, reduce } from '@portal/store/meeting';
import { Store } from '@portal/store/store';
import type { ClientMessage, LegMessage } from '@portal/types';

interface FakeSocket {
  handlers: SignallingHandlers;
  sent: ClientMessage[];
  closed: boolean;
}

function setUp() {
  const sockets: FakeSocket[] = [];
  const peers: Array<{ handlers: PeerHandlers; closed: boolean; received: number }> = [];
  const events: Array<{ since: string; bearer: string; handlers: EventHandlers; closed: boolean }> = [];
  const stopped: string[] = [];
  const at = { stopAll: () => {} };
  const deps = {
    openSignalling: (handlers: SignallingHandlers) => {
      const socket: FakeSocket = { handlers, sent: [], closed: false };
      sockets.push(socket);
      return { send: (message: ClientMessage) => socket.sent.push(message), close: () => (socket.closed = true) };
    },
    openEvents: (_room: string, bearer: string, since: string, handlers: EventHandlers) => {
      const open = { since, bearer, handlers, closed: false };
      events.push(open);
      return { close: () => (open.closed = true) };
    },
    createPeer: (_ice: unknown, _codec: unknown, handlers: PeerHandlers) => {
      const peer = { handlers, closed: false, received: 0 };
      peers.push(peer);
      return {
        room: {},
        content: {},
        offer: async () => 'offer-sdp',
        accept: async () => undefined,
        addCandidate: async () => undefined,
        setTrack: async () => undefined,
        received: async () => peer.received,
        close: () => (peer.closed = true),
      };
    },
    createApi: () => ({}),
    diagnose: async () => 'nobody there',
    media: { listen: () => () => undefined, track: () => null, stop: (kind: string) => stopped.push(kind), stopAll: () => at.stopAll() },
    codec: 'vp8',
    now: () => Date.now(),
    random: () => 1,
  } as unknown as SessionDeps;
  const store = new Store(reduce, initialState('board'));
  const session = new Session(deps, store);
  const last = () => sockets.at(-1)!;
  const receive = async (message: LegMessage) => {
    last().handlers.on_message_received(message);
    await vi.advanceTimersByTimeAsync(0);
  };
  const joined = (token: string, resumed = false): LegMessage =>
    ({ type: 'joined', participant: 'p1', room: 'board', token, ice_servers: [], resumed });
  const enter = async (token = 't1', resumed = false) => {
    last().handlers.on_opened();
    await receive(joined(token, resumed));
    await receive({ type: 'state', state: 'in_room', role: 'guest' });
    peers.at(-1)!.handlers.on_ice_changed('connected');
  };
  const sent = (type: string) => last().sent.filter((message) => message.type === type);
  return { at, stopped, session, store, sockets, peers, events, last, receive, joined, enter, sent };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Session', () => {
  it('joins, offers, and opens the events once it is in the room', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    expect(t.last().sent[0]).toEqual({ type: 'join', alias: 'board', name: 'Ada' });
    expect(t.sent('offer')).toEqual([{ type: 'offer', sdp: 'offer-sdp' }]);
    expect(t.events).toHaveLength(1);
    expect([t.events[0]!.bearer, t.events[0]!.since]).toEqual(['t1', '']);
    expect(t.store.state.phase).toBe('in_room');
  });

  it('answers the first PIN question with what was typed, and no later one', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '1234', asGuest: false });
    t.last().handlers.on_opened();
    await t.receive(t.joined('t1'));
    await t.receive({ type: 'state', state: 'pin', attempts_left: 3 });
    expect(t.sent('digits')).toEqual([]); // nothing collects digits yet
    await t.receive({ type: 'answer', sdp: 'answer-sdp' });
    await t.receive({ type: 'state', state: 'pin', attempts_left: 2 });
    expect(t.sent('digits')).toEqual([{ type: 'digits', digits: '1234#' }]);
    expect(t.store.state.pin.wrong).toBe(true);
    t.session.joinAsGuest();
    expect(t.sent('guest')).toHaveLength(1);
    expect(t.store.state.pin.waiting).toBe(true);
    await vi.advanceTimersByTimeAsync(6_001); // no answer: the form must not stay locked
    expect(t.store.state.pin.waiting).toBe(false);
  });

  it.each(['socket', 'ice failed', 'ice shaky', 'offline'])('comes back with its token after: %s', async (how) => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.events[0]!.handlers.on_event_received({ id: '41', type: 'vmr.talking', data: { participants: [] } } as never);
    if (how === 'socket') t.last().handlers.on_closed();
    if (how === 'ice failed') t.peers[0]!.handlers.on_ice_changed('failed');
    if (how === 'ice shaky') t.peers[0]!.handlers.on_ice_changed('shaky');
    if (how === 'offline') t.session.on_network_lost();
    await vi.advanceTimersByTimeAsync(how === 'ice shaky' ? 1_001 : 1);
    expect(t.store.state.phase).toBe('reconnecting');
    expect([t.sockets.length, t.sockets[0]!.closed, t.peers[0]!.closed]).toEqual([2, true, true]);
    await t.enter('t2', true);
    expect(t.last().sent[0]).toEqual({ type: 'join', alias: 'board', name: 'Ada', reconnect: 't1' });
    expect(t.store.state.phase).toBe('in_room');
    expect(t.events.at(-1)!.since).toBe('41');
  });

  it('stays when ICE recovers by itself within a second', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.peers[0]!.handlers.on_ice_changed('shaky');
    await vi.advanceTimersByTimeAsync(900);
    t.peers[0]!.handlers.on_ice_changed('connected');
    await vi.advanceTimersByTimeAsync(20_000);
    expect([t.sockets.length, t.store.state.phase]).toEqual([1, 'in_room']);
  });

  it('stays as long as media comes, whatever ICE says', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.peers[0]!.handlers.on_ice_changed('shaky');
    for (let second = 0; second < 5; second++) {
      t.peers[0]!.received += 1000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect([t.sockets.length, t.store.state.phase]).toEqual([1, 'in_room']);
    await vi.advanceTimersByTimeAsync(2_001);
    expect(t.store.state.phase).toBe('reconnecting');
  });

  it('tries at least every 3 s in the first minute, so that a network that is back finds it in time', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    const times: number[] = [];
    const start = Date.now();
    t.last().handlers.on_closed();
    while (Date.now() - start < 60_000) {
      const before = t.sockets.length;
      await vi.advanceTimersByTimeAsync(50);
      if (t.sockets.length === before) continue;
      times.push(Date.now() - start);
      t.last().handlers.on_closed(); // refused at once
    }
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(3_000);
    expect(times[0]).toBeLessThanOrEqual(50);
    expect(times.length).toBeLessThan(40);
  });

  it('joins anew when the server does not know the token any more', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.last().handlers.on_closed();
    await vi.advanceTimersByTimeAsync(1);
    t.last().handlers.on_opened();
    await t.receive({ type: 'error', code: 'unknown_token', message: 'gone' });
    await vi.advanceTimersByTimeAsync(3_000);
    t.last().handlers.on_opened();
    expect(t.last().sent[0]).toEqual({ type: 'join', alias: 'board', name: 'Ada' });
  });

  it('says bye when it leaves, and does not come back', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.session.leave();
    expect([t.sent('bye').length, t.store.state.phase, t.session.suspend()]).toEqual([1, 'in_room', null]);
    t.last().handlers.on_closed();
    expect([t.last().closed, t.peers[0]!.closed, t.events[0]!.closed]).toEqual([true, true, true]);
    t.session.on_network_returned();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([t.sockets.length, t.store.state.phase]).toEqual([1, 'left']);
  });

  it('asks nothing of the room once it leaves, whatever its microphone does', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    const asked = vi.fn(async () => Promise.reject(new Error('not in this room')));
    t.at.stopAll = () => void t.session.act(asked); // as SelfMute does
    t.session.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect([asked.mock.calls.length, t.store.state.toasts.length, t.events[0]!.closed]).toEqual([0, 0, true]);
  });

  it('has left after a moment when nobody answers the bye', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    t.session.leave();
    await vi.advanceTimersByTimeAsync(999);
    expect(t.store.state.phase).toBe('in_room');
    await vi.advanceTimersByTimeAsync(1);
    expect([t.last().closed, t.store.state.phase]).toEqual([true, 'left']);
  });

  it('closes the events in the lobby and opens them fresh afterwards', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    await t.receive({ type: 'state', state: 'lobby', reason: 'held' });
    expect(t.events[0]!.closed).toBe(true);
    expect(t.stopped).toEqual(['screen']);
    await t.receive({ type: 'state', state: 'in_room' });
    expect([t.events.length, t.events[1]!.since]).toEqual([2, '']);
  });

  it('tells when the server is not there at all', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    t.last().handlers.on_closed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(t.sockets).toHaveLength(1);
    expect(t.store.state.phase).toBe('prejoin');
    expect(t.store.state.joinError).toBe('nobody there');
  });

  it('gives up with a cause when media never comes up', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    for (let n = 0; n < 6 && t.store.state.phase !== 'left'; n++) {
      t.last().handlers.on_opened();
      await t.receive(t.joined(`t${n}`, n > 0));
      t.peers.at(-1)!.handlers.on_ice_changed('failed');
      await vi.advanceTimersByTimeAsync(3_000);
    }
    expect([t.store.state.phase, t.store.state.leftCause]).toEqual(['left', 'media']);
  });

  it('is back after a reload of the page as who it was, and asks nothing', async () => {
    const old = setUp();
    old.session.join({ name: 'Ada', pin: '1234', asGuest: false });
    expect(old.session.suspend()).toBeNull(); // not in yet: nothing to come back to
    old.session.join({ name: 'Ada', pin: '1234', asGuest: false });
    await old.enter();
    const place = old.session.suspend()!;
    expect(place).toEqual({ token: 't1', name: 'Ada' });
    expect([old.sent('bye'), old.last().closed, old.peers.at(-1)!.closed]).toEqual([[], true, true]);
    expect(JSON.stringify(old.store.state)).not.toContain('t1');

    const t = setUp();
    t.session.resume(place);
    expect(t.store.state.phase).toBe('reconnecting');
    await t.enter('t1', true);
    expect(t.last().sent[0]).toEqual({ type: 'join', alias: 'board', name: 'Ada', reconnect: 't1' });
    expect([t.store.state.phase, t.sent('digits'), t.events[0]!.since]).toEqual(['in_room', [], '']);
    t.session.leave();
    expect(t.session.suspend()).toBeNull();
  });

  it('says on the join page why it was not let in, with what the server sends before "joined"', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    t.last().handlers.on_opened();
    await t.receive({ type: 'state', state: 'left', cause: 'not_found' });
    expect(t.store.state.phase).toBe('prejoin');
    expect(t.store.state.joinError).toMatch(/^There is no such meeting\. /);
  });

  it('ends with the server’s cause', async () => {
    const t = setUp();
    t.session.join({ name: 'Ada', pin: '', asGuest: false });
    await t.enter();
    await t.receive({ type: 'state', state: 'left', cause: 'removed' });
    t.last().handlers.on_closed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([t.sockets.length, t.store.state.phase, t.store.state.leftCause]).toEqual([1, 'left', 'removed']);
  });
});
