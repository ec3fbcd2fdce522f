// Microphone, camera and screen of this browser. Tracks are owned here; who wants to send or show them listens.
export type Kind = 'microphone' | 'camera';
export type DeviceFailure = 'denied' | 'missing' | 'insecure' | 'failed';

export interface DeviceChoice {
  microphone: string;
  camera: string;
  speaker: string;
}

export interface MediaHandlers {
  /** A track began, was replaced, or ended (null). */
  on_track_changed(kind: Kind | 'screen', track: MediaStreamTrack | null): void;
}

const kAudio: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: { ideal: 1 },
};
const kVideo: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
};

export function failureOf(error: unknown): DeviceFailure {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'InsecureContext') return 'insecure';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return 'failed';
}

function constraints(kind: Kind, deviceId: string): MediaStreamConstraints {
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  return kind === 'microphone' ? { audio: { ...kAudio, ...device } } : { video: { ...kVideo, ...device } };
}

async function capture(kind: Kind, deviceId: string): Promise<MediaStreamTrack> {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('insecure', 'InsecureContext');
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(constraints(kind, deviceId));
  } catch (error) {
    // The remembered device is gone: take any.
    if (!deviceId || failureOf(error) !== 'missing') throw error;
    stream = await navigator.mediaDevices.getUserMedia(constraints(kind, ''));
  }
  const track = stream.getTracks()[0];
  if (!track) throw new DOMException('no track', 'NotFoundError');
  return track;
}

export class LocalMedia {
  private tracks: Record<Kind | 'screen', MediaStreamTrack | null> = { microphone: null, camera: null, screen: null };
  private listeners = new Set<MediaHandlers>();
  private asked: Record<Kind, number> = { microphone: 0, camera: 0 };

  constructor(readonly choice: DeviceChoice = { microphone: '', camera: '', speaker: '' }) {}

  static get supported(): boolean {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  static get canShare(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  }

  listen(handlers: MediaHandlers): () => void {
    this.listeners.add(handlers);
    return () => this.listeners.delete(handlers);
  }

  track(kind: Kind | 'screen'): MediaStreamTrack | null {
    return this.tracks[kind];
  }

  private set(kind: Kind | 'screen', track: MediaStreamTrack | null): void {
    const old = this.tracks[kind];
    if (old === track) return;
    this.tracks[kind] = track;
    if (old) {
      old.onended = null;
      old.stop();
    }
    if (track) track.onended = () => this.tracks[kind] === track && this.set(kind, null); // unplugged, or revoked
    for (const listener of [...this.listeners]) listener.on_track_changed(kind, track);
  }

  /** Starts, or starts again with the chosen device. The last call wins. */
  async start(kind: Kind): Promise<void> {
    const turn = ++this.asked[kind];
    const track = await capture(kind, this.choice[kind]);
    if (turn !== this.asked[kind]) {
      track.stop();
      return;
    }
    this.choice[kind] = track.getSettings().deviceId ?? this.choice[kind];
    this.set(kind, track);
  }

  /** One question for both. Throws as getUserMedia does: where one of the two is missing, neither starts. */
  async startBoth(): Promise<void> {
    const turns = { microphone: ++this.asked.microphone, camera: ++this.asked.camera };
    if (!LocalMedia.supported) throw new DOMException('insecure', 'InsecureContext');
    const stream = await navigator.mediaDevices.getUserMedia({
      ...constraints('microphone', this.choice.microphone),
      ...constraints('camera', this.choice.camera),
    });
    for (const kind of ['microphone', 'camera'] as const) {
      const track = stream.getTracks().find((one) => (one.kind === 'audio') === (kind === 'microphone'));
      if (!track) continue;
      if (turns[kind] !== this.asked[kind]) {
        track.stop();
        continue;
      }
      this.choice[kind] = track.getSettings().deviceId ?? this.choice[kind];
      this.set(kind, track);
    }
  }

  stop(kind: Kind | 'screen'): void {
    if (kind !== 'screen') this.asked[kind]++;
    this.set(kind, null);
  }

  async startScreen(): Promise<void> {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 } },
      audio: false,
    });
    const track = stream.getVideoTracks()[0] ?? null;
    if (track && 'contentHint' in track) track.contentHint = 'detail';
    this.set('screen', track);
  }

  stopAll(): void {
    for (const kind of ['microphone', 'camera', 'screen'] as const) this.stop(kind);
  }

  static async devices(): Promise<MediaDeviceInfo[]> {
    return (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  }
}

/** Calls back with the microphone's level, 0 to 1, about 15 times a second, until the returned function is called. */
export function watchLevel(track: MediaStreamTrack, on_level: (level: number) => void): () => void {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const resume = () => void context.resume();
  addEventListener('pointerdown', resume, { once: true });
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // −60 dBFS … 0 dBFS → 0 … 1
    on_level(Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-10)) / 60)));
  }, 66);
  return () => {
    clearInterval(timer);
    removeEventListener('pointerdown', resume);
    void context.close();
  };
}
