// What the meeting page shows, as a pure function of what has happened. I/O (session/, io/) turns the
// network and the devices into Events; ui/ draws the State.
import type { CloudEvent, JoinInfo, LegState, Participant, Role, Room } from '../types';
import { reduceCloudEvent } from './cloud';

export type Phase = 'prejoin' | 'connecting' | 'pin' | 'lobby' | 'in_room' | 'reconnecting' | 'left';
export type DeviceState = 'off' | 'on' | 'starting' | 'denied' | 'missing' | 'failed';
export type Panel = 'none' | 'people' | 'chat' | 'settings' | 'help';

/** Something that was written to everybody. It lives as long as this page is in the room. */
export interface ChatLine {
  id: string;
  /** Empty: an administrator, as the room. */
  participant: string;
  name: string;
  text: string;
  at: string;
}

export interface Toast {
  id: number;
  kind: 'info' | 'warning' | 'error';
  text: string;
  /** A newer one on the same topic takes its place. */
  topic?: string;
}

export interface State {
  phase: Phase;
  alias: string;
  title: string;
  asksPin: boolean;
  joinError: string;
  me: { id: string; name: string; role: Role };
  room: Room | null;
  participants: Record<string, Participant>;
  pin: { attemptsLeft: number | null; wrong: boolean; waiting: boolean };
  lobbyReason: string;
  leftCause: string;
  reconnectAttempt: number;
  lastEventId: string;
  media: {
    microphone: DeviceState;
    camera: DeviceState;
    sharing: boolean;
    /** The browser refused to play sound before another click. */
    needsGesture: boolean;
  };
  panel: Panel;
  chat: { lines: ChatLine[]; unread: number };
  toasts: Toast[];
  nextToast: number;
}

export type Event =
  | { type: 'join_info'; info: JoinInfo }
  | { type: 'join_requested'; name: string }
  | { type: 'resume_requested'; name: string }
  | { type: 'joined'; participant: string; room: string; resumed: boolean }
  | { type: 'leg_state'; state: LegState; role?: Role; reason?: string; cause?: string; attemptsLeft?: number }
  | { type: 'join_failed'; message: string }
  | { type: 'pin_sent' }
  | { type: 'pin_unanswered' }
  | { type: 'connection_lost'; attempt: number }
  | { type: 'left'; cause: string }
  | { type: 'cloud_event'; event: CloudEvent }
  | { type: 'media'; media: Partial<State['media']> }
  | { type: 'self_changed'; changes: Partial<Pick<Participant, 'hand'>> }
  | { type: 'panel'; panel: Panel }
  | { type: 'toast'; kind: Toast['kind']; text: string; topic?: string }
  | { type: 'toast_closed'; id: number }
  | { type: 'rejoin_offered' };

const kMaxToasts = 4;
const kMaxToastText = 300;

export function initialState(alias: string, name = ''): State {
  return {
    phase: 'prejoin',
    alias,
    title: alias,
    asksPin: false,
    joinError: '',
    me: { id: '', name, role: 'guest' },
    room: null,
    participants: {},
    pin: { attemptsLeft: null, wrong: false, waiting: false },
    lobbyReason: '',
    leftCause: '',
    reconnectAttempt: 0,
    lastEventId: '',
    media: { microphone: 'off', camera: 'off', sharing: false, needsGesture: false },
    panel: 'none',
    chat: { lines: [], unread: 0 },
    toasts: [],
    nextToast: 1,
  };
}

export function withToast(state: State, kind: Toast['kind'], text: string, topic?: string): State {
  if (!text) return state;
  const toast = { id: state.nextToast, kind, text: text.slice(0, kMaxToastText), topic };
  const others = state.toasts.filter((one) => !topic || one.topic !== topic);
  return { ...state, toasts: [...others, toast].slice(-kMaxToasts), nextToast: state.nextToast + 1 };
}

function reduceLegState(state: State, event: Extract<Event, { type: 'leg_state' }>): State {
  const role = event.role ?? state.me.role;
  const next: State = { ...state, me: { ...state.me, role }, reconnectAttempt: 0, joinError: '' };
  switch (event.state) {
    case 'connecting':
      return { ...next, phase: state.phase === 'reconnecting' ? 'reconnecting' : 'connecting' };
    case 'pin': {
      const before = state.pin.attemptsLeft;
      const left = event.attemptsLeft ?? before;
      const wrong = state.phase === 'pin' && before !== null && left !== null && left < before;
      return { ...next, phase: 'pin', pin: { attemptsLeft: left, wrong, waiting: false } };
    }
    case 'lobby':
      return { ...outsideRoom(next), phase: 'lobby', lobbyReason: event.reason ?? '' };
    case 'in_room':
      return { ...next, phase: 'in_room', lobbyReason: '', pin: { ...state.pin, waiting: false } };
    case 'left':
      return { ...outsideRoom(next), phase: 'left', leftCause: event.cause || event.reason || '', toasts: [] };
  }
}

/** Who is not in the room keeps nothing of what was seen in it. */
function outsideRoom(state: State): State {
  return {
    ...state,
    participants: {},
    room: null,
    lastEventId: '',
    media: { ...state.media, sharing: false },
    panel: state.panel === 'people' || state.panel === 'chat' ? 'none' : state.panel,
    chat: { lines: [], unread: 0 },
  };
}

/** What the chat shows is read. */
function withPanel(state: State, panel: Panel): State {
  if (panel !== 'chat') return { ...state, panel };
  return { ...state, panel, chat: { ...state.chat, unread: 0 }, toasts: state.toasts.filter((one) => one.topic !== 'chat') };
}

function reduceSelf(state: State, changes: Partial<Participant>): State {
  const me = state.participants[state.me.id];
  if (!me) return state;
  return { ...state, participants: { ...state.participants, [me.id]: { ...me, ...changes } } };
}

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case 'join_info':
      return { ...state, title: event.info.title || state.alias, asksPin: event.info.asks_pin };
    case 'join_requested':
      return { ...initialState(state.alias, event.name), title: state.title, asksPin: state.asksPin,
               media: { ...state.media, sharing: false }, phase: 'connecting' };
    case 'resume_requested':
      return { ...initialState(state.alias, event.name), title: state.title, asksPin: state.asksPin,
               media: { ...state.media, sharing: false }, phase: 'reconnecting' };
    case 'joined':
      return joined(state, event);
    case 'leg_state':
      return reduceLegState(state, event);
    case 'join_failed':
      return { ...outsideRoom(state), phase: 'prejoin', joinError: event.message };
    case 'pin_sent':
      return { ...state, pin: { ...state.pin, wrong: false, waiting: true } };
    case 'pin_unanswered':
      return state.pin.waiting ? { ...state, pin: { ...state.pin, waiting: false } } : state;
    case 'connection_lost':
      return state.phase === 'left' || state.phase === 'prejoin'
        ? state
        : { ...state, phase: 'reconnecting', reconnectAttempt: event.attempt };
    case 'left':
      return { ...outsideRoom(state), phase: 'left', leftCause: event.cause, toasts: [] };
    case 'rejoin_offered':
      return { ...initialState(state.alias, state.me.name), title: state.title, asksPin: state.asksPin,
               media: { ...state.media, sharing: false, needsGesture: false } };
    case 'cloud_event':
      return reduceCloudEvent(state, event.event);
    case 'media':
      return { ...state, media: { ...state.media, ...event.media } };
    case 'self_changed':
      return reduceSelf(state, event.changes);
    case 'panel':
      return withPanel(state, state.panel === event.panel ? 'none' : event.panel);
    case 'toast':
      return withToast(state, event.kind, event.text, event.topic);
    case 'toast_closed':
      return { ...state, toasts: state.toasts.filter((toast) => toast.id !== event.id) };
  }
}

function joined(state: State, event: Extract<Event, { type: 'joined' }>): State {
  const me = { ...state.me, id: event.participant };
  if (event.resumed) return { ...state, me };
  // A new leg: PIN attempts and roster start over.
  return { ...state, me, participants: {}, lastEventId: '', chat: { lines: [], unread: 0 },
           pin: { attemptsLeft: null, wrong: false, waiting: false } };
}
