// The microphone's switch and the server's `self_muted` say the same: what is switched here is told there, and what
// was changed elsewhere (a phone key, another program with this participant's token) is followed here.
import type { Event, State } from '../store/meeting';
import { me } from '../store/selectors';
import type { Store } from '../store/store';
import { text } from '../strings';

const kEchoMs = 2_000; // the answer to a request and the event it causes come over two connections

export class SelfMute {
  private inside = false;
  private stay = 0; // counts stays in the room: an answer from the one before is no news
  private local: boolean | null = null; // null: the microphone is starting
  private seen: boolean | null = null; // in the newest event
  private known: boolean | null = null; // what the server has, by events and by its answers
  private asked: boolean | null = null; // our request whose event has not come yet
  private sending = false;
  private echoed = false;
  private elsewhere: boolean | null = null; // came while we waited: ours, late, or somebody else's
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: Store<State, Event>,
    private readonly send: (muted: boolean) => Promise<boolean>,
    private readonly apply: (muted: boolean) => Promise<void>,
  ) {
    store.subscribe(() => this.on_state_changed(store.state));
  }

  private on_state_changed(state: State): void {
    if (state.phase !== 'in_room') {
      if (this.inside) this.reset();
      return;
    }
    const { microphone } = state.media;
    const local = microphone === 'starting' ? null : microphone !== 'on';
    const server = me(state)?.self_muted ?? null;
    const before = { inside: this.inside, local: this.local, seen: this.seen };
    Object.assign(this, { inside: true, local, seen: server });
    if (server !== null && server !== before.seen) this.on_server_changed(server, before.seen === null);
    if (!before.inside || local !== before.local) void this.tell();
  }

  private async tell(): Promise<void> {
    const muted = this.local;
    if (!this.inside || this.sending || muted === null || muted === (this.asked ?? this.known)) return;
    const { stay } = this;
    clearTimeout(this.timer);
    Object.assign(this, { sending: true, asked: muted, echoed: false, elsewhere: null });
    const done = await this.send(muted);
    if (stay !== this.stay) return;
    this.sending = false;
    if (!done) {
      this.asked = null;
      // A microphone that looks open while nobody hears it misleads; the other way round it stays shut.
      if (this.seen && !this.local) this.follow(true);
      return;
    }
    this.known = muted;
    if (this.echoed) this.settle();
    else this.timer = setTimeout(() => this.settle(), kEchoMs);
    void this.tell(); // switched again meanwhile
  }

  private on_server_changed(muted: boolean, first: boolean): void {
    if (this.asked !== null) {
      if (muted !== this.asked) {
        if (!first) this.elsewhere = muted;
        return;
      }
      this.elsewhere = null;
      if (this.sending) this.echoed = true;
      else this.settle();
      return;
    }
    this.known = muted;
    if (this.local === null || muted === this.local) return;
    if (first && !muted) void this.tell(); // nobody has switched it on: it was never told that it is off
    else this.follow(muted);
  }

  /** Our request is through: from here on each change is somebody else's. */
  private settle(): void {
    clearTimeout(this.timer);
    const { elsewhere } = this;
    this.asked = this.elsewhere = null;
    if (elsewhere === null) return;
    this.known = elsewhere;
    if (this.local !== null && elsewhere !== this.local) this.follow(elsewhere);
  }

  private follow(muted: boolean): void {
    this.known = muted;
    const words = muted ? text.meeting.mutedElsewhere : text.meeting.unmutedElsewhere;
    this.store.dispatch({ type: 'toast', kind: muted ? 'warning' : 'info', text: words, topic: 'mute' });
    void this.apply(muted);
  }

  private reset(): void {
    clearTimeout(this.timer);
    this.stay++;
    Object.assign(this, {
      inside: false, local: null, seen: null, known: null, asked: null, sending: false, echoed: false, elsewhere: null,
    });
  }
}
