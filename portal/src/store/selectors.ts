// Questions the page asks of the State.
import type { Participant } from '../types';
import type { State } from './meeting';

const byName = (a: Participant, b: Participant) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id);

const all = (state: State): Participant[] => Object.values(state.participants);

/** Raised hands first (they wait for a turn), then hosts, then by name. */
export function inRoom(state: State): Participant[] {
  return all(state)
    .filter((one) => one.state === 'in_room')
    .sort((a, b) => Number(b.hand) - Number(a.hand) || Number(b.role === 'host') - Number(a.role === 'host') || byName(a, b));
}

export const waiting = (state: State): Participant[] =>
  all(state).filter((one) => one.state === 'lobby').sort(byName);

export const entering = (state: State): Participant[] =>
  all(state).filter((one) => (one.state === 'pin' || one.state === 'connecting') && !one.call).sort(byName);

/** Who the room calls and has not answered yet. */
export const called = (state: State): Participant[] => all(state).filter((one) => one.call).sort(byName);

export const me = (state: State): Participant | undefined => state.participants[state.me.id];

export const isHost = (state: State): boolean => state.me.role === 'host';

/** Host rights: all of them as a host; single ones may be granted to a guest. */
export function may(state: State, right: 'admit' | 'mute' | 'layout' | 'record'): boolean {
  return isHost(state) || Boolean(me(state)?.grants?.includes(right));
}

export const mayWrite = (state: State): boolean => isHost(state) || Boolean(state.room?.chat_allowed);

export const otherSharer = (state: State): Participant | undefined =>
  all(state).find((one) => one.sharing && one.state === 'in_room' && one.id !== state.me.id);

export const talkers = (state: State): Participant[] =>
  inRoom(state).filter((one) => one.talking && one.id !== state.me.id);

export const unencrypted = (state: State): Participant[] =>
  inRoom(state).filter((one) => one.crypto && !one.crypto.encrypted);

export const isUnencrypted = (state: State): boolean =>
  Boolean(state.room?.unencrypted) || unencrypted(state).length > 0;
