// The person's switches for microphone, camera and screen: from a click to a track and the State.
import type { DeviceFailure, Kind, LocalMedia } from '../io/media';
import { failureOf } from '../io/media';
import type { DeviceState, Event, State } from '../store/meeting';
import type { Store } from '../store/store';
import { fill, text } from '../strings';
import { keptDevices } from './kept';

export class Devices {
  constructor(
    readonly media: LocalMedia,
    private readonly store: Store<State, Event>,
  ) {
    media.listen({ on_track_changed: (kind) => this.on_track_changed(kind) });
  }

  private show(kind: Kind, state: DeviceState): void {
    this.store.dispatch({ type: 'media', media: { [kind]: state } });
  }

  private on_track_changed(kind: Kind | 'screen'): void {
    const track = this.media.track(kind);
    if (kind === 'screen') this.store.dispatch({ type: 'media', media: { sharing: track !== null } });
    else if (!track) this.show(kind, 'off');
    else this.show(kind, kind === 'camera' || track.enabled ? 'on' : 'off');
  }

  private failed(kind: Kind, failure: DeviceFailure): void {
    const states: Record<DeviceFailure, DeviceState> = {
      denied: 'denied',
      missing: 'missing',
      insecure: 'missing',
      failed: 'failed',
    };
    this.show(kind, states[failure]);
  }

  /** Resolves to false where the device cannot be had; the State says why. */
  async start(kind: Kind, quiet = false): Promise<boolean> {
    this.show(kind, 'starting');
    try {
      await this.media.start(kind);
      return true;
    } catch (error) {
      const failure = failureOf(error);
      this.failed(kind, failure);
      if (!quiet) this.complain(fill(text.devices.failures[failure], { device: text.devices.names[kind] }));
      return false;
    }
  }

  /** On the join page: ask once for both, and take what there is. */
  async startBoth(): Promise<void> {
    this.show('microphone', 'starting');
    this.show('camera', 'starting');
    try {
      await this.media.startBoth();
    } catch (error) {
      if (failureOf(error) === 'denied') {
        this.failed('microphone', 'denied');
        this.failed('camera', 'denied');
        return;
      }
      await this.start('microphone', true);
      await this.start('camera', true);
    }
  }

  /** After a reload of the page: what was on is on again. */
  async restore(on: Record<Kind, boolean>): Promise<void> {
    for (const kind of ['microphone', 'camera'] as const) if (on[kind]) await this.start(kind);
  }

  /** Once more for what could not be had. */
  async startMissing(): Promise<void> {
    const { media } = this.store.state;
    for (const kind of ['microphone', 'camera'] as const) {
      if (media[kind] !== 'on' && media[kind] !== 'off') await this.start(kind, true);
    }
  }

  private complain(words: string): void {
    this.store.dispatch({ type: 'toast', kind: 'error', text: words });
  }

  async setMicrophone(on: boolean): Promise<void> {
    const track = this.media.track('microphone');
    if (track) {
      track.enabled = on;
      this.show('microphone', on ? 'on' : 'off');
    } else if (on) {
      await this.start('microphone');
    }
  }

  /** Off lets go of the camera, so that its lamp goes out. */
  async setCamera(on: boolean): Promise<void> {
    if (on) await this.start('camera');
    else this.media.stop('camera');
  }

  async choose(kind: Kind, deviceId: string): Promise<void> {
    this.media.choice[kind] = deviceId;
    keptDevices[kind].write(deviceId);
    const running = this.media.track(kind);
    if (!running) return;
    const enabled = running.enabled;
    if ((await this.start(kind)) && !enabled) await this.setMicrophone(false);
  }

  chooseSpeaker(deviceId: string): void {
    this.media.choice.speaker = deviceId;
    keptDevices.speaker.write(deviceId);
  }

  async setSharing(on: boolean): Promise<void> {
    if (!on) {
      this.media.stop('screen');
      return;
    }
    try {
      await this.media.startScreen();
    } catch (error) {
      if (failureOf(error) === 'denied') return; // they cancelled
      const reason = error instanceof Error ? error.message : String(error);
      this.complain(fill(text.meeting.shareFailed, { reason }));
    }
  }
}
