// One person's stay in one room: joins, keeps the connection (and makes it again), leaves.
// One Attempt is one signalling socket with one peer; whatever breaks it leads to connection_lost() and the next.
import type { RoomApi } from '../io/api';
import type { LocalMedia } from '../io/media';
import type { IceState, Peer, PeerHandlers, PreferredCodec } from '../io/peer';
import type { Closer, EventHandlers, Signalling, SignallingHandlers } from '../io/sockets';
import type { Event, State } from '../store/meeting';
import { Store } from '../store/store';
import { refusal, text } from '../strings';
import type { CloudEvent, LegMessage } from '../types';
import { kGiveUpMs, retryDelay } from './backoff';
import { RoomEvents } from './room_events';

export interface SessionDeps {
  openSignalling(handlers: SignallingHandlers): Signalling;
  openEvents(room: string, bearer: string, since: string, handlers: EventHandlers): Closer;
  createPeer(iceServers: RTCIceServer[], codec: PreferredCodec, handlers: PeerHandlers): Peer;
  createApi(room: string, bearer: string): RoomApi;
  media: LocalMedia;
  codec: PreferredCodec;
  now(): number;
  random(): number;
  /** Why the server does not take the join, in words; asked when its socket does not open. */
  diagnose(alias: string): Promise<string>;
}

export interface JoinRequest {
  name: string;
  /** '' = none was typed: the PIN step asks. */
  pin: string;
  asGuest: boolean;
}

export type Streams = Pick<Peer, 'sound' | 'room' | 'content'> | null;

const kJoinMs = 4_000; // socket opened and joined, or the attempt is given up
const kIceMs = 10_000; // joined, then ICE up (TURN over TLS may take its time)
const kShakyMs = 1_000; // ICE `disconnected` for so long counts as lost, unless media still comes
const kByeMs = 1_000; // for the server to answer a "bye"
const kPinMs = 6_000; // for the server to check a PIN (it may be slowed down under attack)
const kMaxDeadMedia = 4; // attempts in a row with signalling but never any media

interface Attempt {
  signalling: Signalling;
  peer: Peer | null;
  joined: boolean;
  answered: boolean;
  leaving: boolean;
  shaky: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Session {
  readonly streams = new Store<Streams, Streams>((_, next) => next, null);
  private attempt: Attempt | null = null;
  private readonly events: RoomEvents;
  private pinTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private request: JoinRequest | null = null;
  private token = '';
  private roomId = '';
  private api: RoomApi | null = null;
  private tries = 0;
  private lostAt = 0;
  private deadMedia = 0;
  private stopListening: () => void;

  constructor(
    private readonly deps: SessionDeps,
    private readonly store: Store<State, Event>,
  ) {
    this.events = new RoomEvents({
      connect: (since, handlers) => deps.openEvents(this.roomId, this.token, since, handlers),
      newest: () => store.state.lastEventId,
      on_event_received: (event) => this.on_event_received(event),
      random: deps.random,
    });
    this.stopListening = deps.media.listen({
      on_track_changed: (kind, track) => {
        const slot = kind === 'microphone' ? 'audio' : kind === 'camera' ? 'camera' : 'content';
        void this.attempt?.peer?.setTrack(slot, track);
        if (kind === 'screen') this.send({ type: 'content', sharing: track !== null });
      },
    });
  }

  join(request: JoinRequest): void {
    this.forget();
    this.request = { ...request };
    this.store.dispatch({ type: 'join_requested', name: request.name });
    this.connect();
  }

  /** Back after a reload of the page, as the participant of before: without a name, a PIN or a click. */
  resume(place: { token: string; name: string }): void {
    this.forget();
    this.token = place.token;
    this.store.dispatch({ type: 'resume_requested', name: place.name });
    this.connect();
  }

  /** The page goes, perhaps to be loaded again. What it takes to resume(), or null where there is nothing to keep. */
  suspend(): { token: string; name: string } | null {
    const { phase, me } = this.store.state;
    if (phase === 'prejoin' || phase === 'left' || this.attempt?.leaving) return null;
    const { token } = this;
    if (!token || phase === 'connecting' || phase === 'pin') {
      this.leave();
      return null;
    }
    this.forget();
    this.deps.media.stopAll();
    this.store.dispatch({ type: 'resume_requested', name: me.name });
    return { token, name: me.name };
  }

  sendPin(digits: string): void {
    this.awaitPinAnswer();
    this.send({ type: 'digits', digits: `${digits}#` });
  }

  joinAsGuest(): void {
    this.awaitPinAnswer();
    this.send({ type: 'guest' });
  }

  /** Nobody may be left before a locked form, should the digits get lost. */
  private awaitPinAnswer(): void {
    this.store.dispatch({ type: 'pin_sent' });
    clearTimeout(this.pinTimer);
    this.pinTimer = setTimeout(() => this.store.dispatch({ type: 'pin_unanswered' }), kPinMs);
  }

  /** Nothing is sent any more; "left" shows once the server has heard of it: who closes the tab then is gone there too. */
  leave(): void {
    this.send({ type: 'bye' });
    const attempt = this.attempt;
    if (!attempt?.joined) return this.end('');
    this.api = null; // nothing is asked of the room any more, not even a switched-off microphone's state
    this.events.close();
    this.deps.media.stopAll();
    attempt.leaving = true;
    clearTimeout(attempt.timer);
    attempt.timer = setTimeout(() => this.end(''), kByeMs);
  }

  /** Runs one API call; what goes wrong is shown, not thrown. */
  async act(call: (api: RoomApi, me: string) => Promise<unknown>): Promise<boolean> {
    if (!this.api) return false;
    try {
      await call(this.api, this.store.state.me.id);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.store.dispatch({ type: 'toast', kind: 'error', text: text.meeting.actionFailed.replace('{reason}', reason) });
      return false;
    }
  }

  /** The network came back: no need to sit out the pause. */
  on_network_returned(): void {
    if (this.store.state.phase !== 'reconnecting' || this.attempt) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  on_network_lost(): void {
    if (this.attempt?.joined) this.connection_lost(this.attempt);
  }

  dispose(): void {
    this.forget();
    this.stopListening();
  }

  private send(message: Parameters<Signalling['send']>[0]): void {
    this.attempt?.signalling.send(message);
  }

  private connect(): void {
    const attempt = { peer: null, joined: false, answered: false, leaving: false, shaky: false } as unknown as Attempt;
    attempt.timer = setTimeout(() => this.connection_lost(attempt), kJoinMs);
    this.attempt = attempt;
    attempt.signalling = this.deps.openSignalling({
      on_opened: () => {
        const reconnect = this.token ? { reconnect: this.token } : {};
        const { alias, me } = this.store.state;
        attempt.signalling.send({ type: 'join', alias, name: me.name, ...reconnect });
      },
      on_message_received: (message) => attempt === this.attempt && void this.on_message_received(attempt, message),
      on_closed: () => this.connection_lost(attempt),
    });
  }

  private async on_message_received(attempt: Attempt, message: LegMessage): Promise<void> {
    switch (message.type) {
      case 'joined':
        return this.on_joined(attempt, message);
      case 'answer':
        return this.on_answered(attempt, message.sdp);
      case 'candidate':
        return attempt.peer?.addCandidate(message);
      case 'state':
        return this.on_state_changed(message);
      case 'error':
        return this.on_refused(attempt, message.code, message.message);
    }
  }

  private async on_joined(attempt: Attempt, message: Extract<LegMessage, { type: 'joined' }>): Promise<void> {
    attempt.joined = true;
    clearTimeout(attempt.timer);
    attempt.timer = setTimeout(() => this.connection_lost(attempt), kIceMs);
    this.token = message.token;
    this.roomId = message.room;
    this.api = this.deps.createApi(message.room, message.token);
    this.store.dispatch({
      type: 'joined',
      participant: message.participant,
      room: message.room,
      resumed: message.resumed,
    });
    try {
      await this.startMedia(attempt, message.ice_servers ?? []);
    } catch {
      if (attempt === this.attempt) this.fail(refusal('unsupported'));
    }
  }

  private async startMedia(attempt: Attempt, iceServers: RTCIceServer[]): Promise<void> {
    const peer = this.deps.createPeer(iceServers, this.deps.codec, {
      on_candidate_found: (found) =>
        attempt.signalling.send({
          type: 'candidate',
          candidate: found?.candidate ?? '', // '' = that was the last
          ...(found?.sdpMid != null && { sdpMid: found.sdpMid }),
          ...(found?.sdpMLineIndex != null && { sdpMLineIndex: found.sdpMLineIndex }),
        }),
      on_ice_changed: (state) => this.on_ice_changed(attempt, state),
    });
    attempt.peer = peer;
    this.streams.dispatch({ sound: peer.sound, room: peer.room, content: peer.content });
    const { media } = this.deps;
    await peer.setTrack('audio', media.track('microphone'));
    await peer.setTrack('camera', media.track('camera'));
    await peer.setTrack('content', media.track('screen'));
    const sdp = await peer.offer();
    if (attempt !== this.attempt) return;
    attempt.signalling.send({ type: 'offer', sdp });
    if (media.track('screen')) attempt.signalling.send({ type: 'content', sharing: true });
  }

  private async on_answered(attempt: Attempt, sdp: string): Promise<void> {
    try {
      await attempt.peer?.accept(sdp);
    } catch {
      this.connection_lost(attempt);
      return;
    }
    attempt.answered = true;
    if (attempt === this.attempt && this.store.state.phase === 'pin') this.answerPin();
  }

  private on_ice_changed(attempt: Attempt, state: IceState): void {
    if (attempt !== this.attempt) return;
    attempt.shaky = state === 'shaky';
    if (state === 'connected') {
      clearTimeout(attempt.timer);
      this.tries = 0;
      this.deadMedia = 0;
    } else if (state === 'failed') {
      this.connection_lost(attempt);
    } else if (state === 'shaky') {
      void this.watch(attempt);
    }
  }

  /** Where many packets are lost, ICE loses its answers too: only silence is an end. */
  private async watch(attempt: Attempt): Promise<void> {
    const before = await attempt.peer!.received();
    if (!attempt.shaky || attempt !== this.attempt) return;
    clearTimeout(attempt.timer);
    attempt.timer = setTimeout(async () => {
      const now = await attempt.peer!.received();
      if (!attempt.shaky || attempt !== this.attempt) return;
      if (now > before) void this.watch(attempt);
      else this.connection_lost(attempt);
    }, kShakyMs);
  }

  private on_state_changed(message: Extract<LegMessage, { type: 'state' }>): void {
    if (message.state === 'left') {
      const cause = message.cause || message.reason || 'ended';
      if (this.attempt?.joined || this.token) this.end(cause);
      else this.fail(refusal(cause));
      return;
    }
    this.store.dispatch({
      type: 'leg_state',
      state: message.state,
      role: message.role,
      reason: message.reason,
      cause: message.cause,
      attemptsLeft: message.attempts_left,
    });
    if (message.state === 'pin') this.answerPin();
    else clearTimeout(this.pinTimer);
    if (message.state === 'in_room') this.events.open();
    else this.leaveRoom();
  }

  /**
   * What was typed on the join page answers the first question for a PIN, and none after it; not before the
   * server has answered the offer: only then is there something that collects digits.
   */
  private answerPin(): void {
    const request = this.request;
    if (!request || !this.attempt?.answered) return;
    const { pin, asGuest } = request;
    this.request = { ...request, pin: '', asGuest: false };
    if (pin) this.sendPin(pin);
    else if (asGuest) this.joinAsGuest();
  }

  /** To the lobby, or the PIN again: what I share must not start by itself when I am back. */
  private leaveRoom(): void {
    this.events.close();
    this.deps.media.stop('screen');
  }

  private on_event_received(event: CloudEvent): void {
    if (event.type === 'vmr.room.ended') this.end(String((event.data as { cause?: unknown }).cause || 'room_ended'));
    else this.store.dispatch({ type: 'cloud_event', event });
  }

  private on_refused(attempt: Attempt, code: string, message: string): void {
    if (attempt.joined) {
      this.store.dispatch({ type: 'toast', kind: 'error', text: refusal(code, message) });
      return;
    }
    if (this.token) {
      // The server knows us no more (restart, grace over): come in anew.
      this.token = '';
      this.connection_lost(attempt);
      return;
    }
    this.fail(refusal(code, message));
  }

  private connection_lost(attempt: Attempt): void {
    if (attempt !== this.attempt) return;
    if (attempt.leaving) return this.end('');
    const { joined } = attempt;
    const everUp = this.streams.state !== null || this.token !== '';
    this.drop();
    this.events.close();
    if (!everUp) {
      void this.fail_unreached();
      return;
    }
    this.deadMedia += joined ? 1 : 0;
    if (this.tries === 0) this.lostAt = this.deps.now();
    const since = this.deps.now() - this.lostAt;
    if (since > kGiveUpMs || this.deadMedia > kMaxDeadMedia) {
      this.end(joined ? 'media' : 'lost');
      return;
    }
    this.tries++;
    this.store.dispatch({ type: 'connection_lost', attempt: this.tries });
    this.retryTimer = setTimeout(() => this.connect(), retryDelay(this.tries, since, this.deps.random()));
  }

  private async fail_unreached(): Promise<void> {
    const request = this.request;
    const message = await this.deps.diagnose(this.store.state.alias);
    if (request === this.request && !this.attempt) this.fail(message); // not after another try
  }

  private fail(message: string): void {
    this.forget();
    this.store.dispatch({ type: 'join_failed', message });
  }

  private end(cause: string): void {
    this.forget();
    this.deps.media.stopAll();
    this.store.dispatch({ type: 'left', cause });
  }

  /** The attempt's sockets and media; the token stays, to come back with. */
  private drop(): void {
    const attempt = this.attempt;
    this.attempt = null;
    clearTimeout(attempt?.timer);
    attempt?.signalling?.close();
    attempt?.peer?.close();
  }

  private forget(): void {
    this.drop();
    this.events.reset();
    clearTimeout(this.retryTimer);
    clearTimeout(this.pinTimer);
    this.token = this.roomId = '';
    this.api = null;
    this.tries = this.deadMedia = 0;
    this.streams.dispatch(null);
  }
}
