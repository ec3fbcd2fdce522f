import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SelfMute } from '@portal/session/self_mute';
import { initialState, reduce } from '@portal/store/meeting';
import type { DeviceState, Event, State } from '@portal/store/meeting';
import { Store } from '@portal/store/store';
import { person, room } from './objects';

function setUp(microphone: DeviceState) {
  const store = new Store<State, Event>(reduce, initialState('board', 'Ada'));
  const sent: boolean[] = [];
  const answers: Array<(done: boolean) => void> = [];
  const applied: boolean[] = [];
  let id = 0;
  const local = (state: DeviceState) => store.dispatch({ type: 'media', media: { microphone: state } });
  const cloud = (type: string, data: unknown) =>
    store.dispatch({ type: 'cloud_event', event: { id: String(++id), type, data } as never });
  const event = (self_muted: boolean, more = {}) => cloud('vmr.participant.updated', person('p1', { self_muted, ...more }));
  const snapshot = (self_muted: boolean) => cloud('vmr.snapshot', { room: room(), participants: [person('p1', { self_muted })] });
  local(microphone);
  new SelfMute(
    store,
    (muted) => {
      sent.push(muted);
      return new Promise((resolve) => answers.push(resolve));
    },
    async (muted) => {
      applied.push(muted);
      local(muted ? 'off' : 'on');
    },
  );
  const answer = async (done = true) => {
    answers.shift()!(done);
    await vi.advanceTimersByTimeAsync(0);
  };
  const enter = () => {
    store.dispatch({ type: 'joined', participant: 'p1', room: 'board', resumed: false });
    store.dispatch({ type: 'leg_state', state: 'in_room', role: 'guest' });
  };
  /** In the room, and what the server has is known. */
  const settle = async () => {
    enter();
    await answer();
    snapshot(microphone !== 'on');
    await vi.advanceTimersByTimeAsync(2_000);
  };
  const toasts = () => store.state.toasts.map((one) => one.text);
  return { store, sent, applied, local, event, snapshot, answer, enter, settle, toasts };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('SelfMute', () => {
  it('tells at the door whether the microphone is off, and each time it is switched', async () => {
    const t = setUp('off');
    await t.settle();
    t.local('on');
    await t.answer();
    t.event(false);
    t.local('off');
    await t.answer();
    t.event(true);
    expect([t.sent, t.applied, t.toasts()]).toEqual([[true, false, true], [], []]);
  });

  it('waits for a microphone that is starting, and tells when it has', async () => {
    const t = setUp('starting');
    t.enter();
    t.snapshot(false);
    expect(t.sent).toEqual([]);
    t.local('denied');
    expect(t.sent).toEqual([true]);
    await t.answer();
    t.event(true);
    expect(t.applied).toEqual([]);
  });

  it('follows what was changed elsewhere, and says so', async () => {
    const t = setUp('on');
    await t.settle();
    t.event(true);
    expect([t.applied, t.store.state.media.microphone]).toEqual([[true], 'off']);
    expect(t.toasts()).toHaveLength(1);
    t.event(false);
    expect([t.applied, t.store.state.media.microphone, t.sent]).toEqual([[true, false], 'on', [false]]);
  });

  it('does not take its own late echoes for somebody else', async () => {
    const t = setUp('on');
    await t.settle();
    t.local('off');
    t.local('on'); // before the first answer
    await t.answer();
    expect(t.sent).toEqual([false, true, false]);
    t.event(true); // of the first
    await t.answer();
    t.event(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([t.applied, t.store.state.media.microphone]).toEqual([[], 'on']);
  });

  it('follows in the end what came from elsewhere while its own request was under way', async () => {
    const t = setUp('off');
    t.enter(); // already muted on the server: this request causes no event
    t.snapshot(true);
    await t.answer();
    await vi.advanceTimersByTimeAsync(100);
    t.event(false);
    expect(t.applied).toEqual([false]);
  });

  it('never opens a microphone because a request failed, and shuts it when nobody hears it', async () => {
    const t = setUp('off');
    t.enter();
    await t.answer(false);
    t.snapshot(false);
    expect([t.applied, t.sent]).toEqual([[], [true, true]]);
    await t.answer();
    t.event(true);
    t.local('on');
    await t.answer(false);
    expect([t.applied, t.store.state.media.microphone]).toEqual([[true], 'off']);
  });

  it('forgets requests of a stay that is over', async () => {
    const t = setUp('on');
    t.enter();
    t.store.dispatch({ type: 'connection_lost', attempt: 1 });
    t.local('off');
    await t.answer(false);
    t.store.dispatch({ type: 'leg_state', state: 'in_room' });
    expect([t.sent, t.applied]).toEqual([[false, true], []]);
  });
});
