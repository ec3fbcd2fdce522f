// Room events (CloudEvents, /api/v1/events) folded into the meeting's State.
import type { CloudEvent, Participant, Room } from '../types';
import type { State } from './meeting';
import { withToast } from './meeting';
import { fill, refusal, text } from '../strings';

type Dict = Record<string, unknown>;

const kMaxParticipants = 2000;
const kMaxChatLines = 500;

const isDict = (value: unknown): value is Dict => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object itself, or the object under `key`: both readings of "whole object" are taken. */
function unwrap(data: unknown, key: string): Dict | null {
  if (!isDict(data)) return null;
  const inner = data[key];
  if (isDict(inner)) return inner;
  return typeof data.id === 'string' ? data : null;
}

function putParticipant(state: State, value: Dict): State {
  const participant = value as unknown as Participant;
  if (participant.state === 'left') return dropParticipant(state, participant.id);
  const known = state.participants[participant.id];
  if (!known && Object.keys(state.participants).length >= kMaxParticipants) return state;
  const participants = { ...state.participants, [participant.id]: { ...known, call: undefined, ...participant } };
  if (participant.id !== state.me.id) return { ...state, participants };
  const next = { ...state, participants, me: { ...state.me, role: participant.role } };
  return tellHostMute(next, known?.muted ?? false, participant.muted);
}

/** Who muted is worth a word: a host, and not the own switch. */
function tellHostMute(state: State, before: boolean, muted: boolean): State {
  if (before === muted) return state;
  if (muted) return withToast(state, 'warning', text.meeting.hostMuted, 'mute');
  const words = state.media.microphone === 'on' ? text.meeting.hostUnmuted : text.meeting.hostUnmutedOff;
  return withToast(state, 'info', words, 'mute');
}

function dropParticipant(state: State, id: string): State {
  if (!state.participants[id]) return state;
  const { [id]: _gone, ...participants } = state.participants;
  return { ...state, participants };
}

/** A call that came to nothing is worth a word to hosts: they placed it. */
function tellCallFailed(state: State, left: Participant): State {
  const called = state.participants[left.id];
  if (!called?.call || !left.ended || left.ended.cause === 'removed' || state.me.role !== 'host') return state;
  const reason = left.ended.text || refusal(left.ended.cause);
  return withToast(state, 'warning', fill(text.roster.notReached, { name: called.name, reason }));
}

function snapshot(state: State, data: unknown): State {
  if (!isDict(data)) return state;
  const room = isDict(data.room) ? (data.room as unknown as Room) : state.room;
  const list = Array.isArray(data.participants) ? data.participants.filter(isDict) : [];
  const empty: State = { ...state, room, title: room?.title || state.title, participants: {} };
  return list.reduce<State>(putParticipant, empty);
}

function talking(state: State, data: unknown): State {
  if (!isDict(data) || !Array.isArray(data.participants)) return state;
  const now = new Set(data.participants);
  const entries = Object.entries(state.participants);
  if (entries.every(([id, participant]) => participant.talking === now.has(id))) return state;
  return {
    ...state,
    participants: Object.fromEntries(
      entries.map(([id, participant]) => [id, { ...participant, talking: now.has(id) }]),
    ),
  };
}

// Said here, and better: by a host, by one's own switch, or from elsewhere.
const kOwnWords = new Set(['you_are_muted', 'you_are_unmuted']);
const kWarnings = new Set(['unencrypted', 'encryption', 'ending', 'locked']);

function announcement(state: State, data: unknown): State {
  if (!isDict(data) || typeof data.text !== 'string' || kOwnWords.has(String(data.kind))) return state;
  const forMe = data.to === undefined || data.to === 'everyone' || data.to === state.me.id ||
    (data.to === 'hosts' && state.me.role === 'host');
  if (!forMe) return state;
  return withToast(state, kWarnings.has(String(data.kind)) ? 'warning' : 'info', data.text);
}

/** Read at once where the chat is open; else counted, and shown for a moment: the latest alone, not a heap of them. */
function message(state: State, event: CloudEvent): State {
  const { data } = event;
  if (!isDict(data) || typeof data.name !== 'string' || typeof data.text !== 'string') return state;
  const participant = typeof data.participant === 'string' ? data.participant : '';
  const line = { id: event.id, participant, name: data.name, text: data.text, at: event.time ?? '' };
  const lines = [...state.chat.lines, line].slice(-kMaxChatLines);
  const seen = state.panel === 'chat' || participant === state.me.id;
  const next = { ...state, chat: { lines, unread: state.chat.unread + (seen ? 0 : 1) } };
  return seen ? next : withToast(next, 'info', fill(text.chat.toast, { name: line.name, text: line.text }), 'chat');
}

/** Ids count up within one run of the server; a replayed event that was seen already changes nothing. */
function alreadySeen(state: State, event: CloudEvent): boolean {
  if (event.type === 'vmr.snapshot' || state.lastEventId === '') return false;
  const id = Number(event.id);
  const last = Number(state.lastEventId);
  return Number.isFinite(id) && Number.isFinite(last) && id <= last;
}

export function reduceCloudEvent(state: State, event: CloudEvent): State {
  if (state.phase === 'left' || alreadySeen(state, event)) return state;
  const next = { ...state, lastEventId: event.id ?? state.lastEventId };
  switch (event.type) {
    case 'vmr.snapshot':
      return snapshot(next, event.data);
    case 'vmr.room.updated': {
      const room = unwrap(event.data, 'room') as unknown as Room | null;
      return room ? { ...next, room: { ...next.room, ...room }, title: room.title || next.title } : next;
    }
    case 'vmr.participant.joined':
    case 'vmr.participant.updated': {
      const participant = unwrap(event.data, 'participant');
      return participant ? putParticipant(next, participant) : next;
    }
    case 'vmr.participant.left': {
      const participant = unwrap(event.data, 'participant');
      if (!participant) return next;
      return dropParticipant(tellCallFailed(next, participant as unknown as Participant), String(participant.id));
    }
    case 'vmr.talking':
      return talking(next, event.data);
    case 'vmr.announcement':
      return announcement(next, event.data);
    case 'vmr.message':
      return message(next, event);
    default:
      return next;
  }
}
