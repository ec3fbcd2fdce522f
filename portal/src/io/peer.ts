// The browser's end of the media: one RTCPeerConnection with three m-lines that never change:
// mid 0 audio, mid 1 camera out and room picture in, mid 2 content both ways. Tracks come and go by
// replaceTrack, so that no camera, screen or microphone ever needs a new offer.
import type { SignalCandidate } from '../api-types';

export type Slot = 'audio' | 'camera' | 'content';
export type IceState = 'connecting' | 'connected' | 'shaky' | 'failed';
export type PreferredCodec = 'vp8' | 'h264';

export interface PeerHandlers {
  on_candidate_found(candidate: RTCIceCandidate | null): void;
  on_ice_changed(state: IceState): void;
}

export interface Peer {
  /** What the server sends. Sound is apart: a <video> may hold it back until the first picture. */
  readonly sound: MediaStream;
  readonly room: MediaStream;
  readonly content: MediaStream;
  offer(): Promise<string>;
  accept(sdp: string): Promise<void>;
  addCandidate(candidate: SignalCandidate): Promise<void>;
  setTrack(slot: Slot, track: MediaStreamTrack | null): Promise<void>;
  /** Bytes of media that have come so far. */
  received(): Promise<number>;
  close(): void;
}

const kMaxVideoBitrate = 1_500_000; // bit/s

function preferCodec(transceiver: RTCRtpTransceiver, codec: PreferredCodec): void {
  const all = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (!all || !transceiver.setCodecPreferences) return;
  const wanted = `video/${codec}`;
  const first = all.filter((one) => one.mimeType.toLowerCase() === wanted);
  try {
    if (first.length) transceiver.setCodecPreferences([...first, ...all.filter((one) => !first.includes(one))]);
  } catch {
    // An older browser that knows better keeps its own order; the server takes either codec.
  }
}

function iceState(state: RTCIceConnectionState): IceState {
  if (state === 'connected' || state === 'completed') return 'connected';
  if (state === 'disconnected') return 'shaky';
  return state === 'failed' || state === 'closed' ? 'failed' : 'connecting';
}

function addTransceivers(pc: RTCPeerConnection, codec: PreferredCodec): Record<Slot, RTCRtpTransceiver> {
  const video = { direction: 'sendrecv', sendEncodings: [{ maxBitrate: kMaxVideoBitrate }] } as const;
  const audio = pc.addTransceiver('audio', { direction: 'sendrecv' });
  const camera = pc.addTransceiver('video', { ...video, sendEncodings: [...video.sendEncodings] });
  const content = pc.addTransceiver('video', { ...video, sendEncodings: [...video.sendEncodings] });
  preferCodec(camera, codec);
  preferCodec(content, codec);
  return { audio, camera, content };
}

export function createPeer(iceServers: RTCIceServer[], codec: PreferredCodec, handlers: PeerHandlers): Peer {
  const pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
  const slots = addTransceivers(pc, codec);
  const received = (slot: Slot) => new MediaStream([slots[slot].receiver.track]);
  let early: SignalCandidate[] = []; // candidates that came before the answer

  pc.onicecandidate = (event) => handlers.on_candidate_found(event.candidate);
  pc.oniceconnectionstatechange = () => {
    const state = iceState(pc.iceConnectionState);
    if (state !== 'connected' || pc.connectionState === undefined) handlers.on_ice_changed(state);
  };
  // DTLS may fail with ICE well: only both together are a connection.
  pc.onconnectionstatechange = () => {
    const state = pc.connectionState;
    if (state === 'failed' || state === 'connected') handlers.on_ice_changed(state);
  };

  const add = async ({ candidate, sdpMid, sdpMLineIndex }: SignalCandidate) => {
    const mid = sdpMid ?? (sdpMLineIndex == null ? '0' : null);
    try {
      await pc.addIceCandidate({ candidate, sdpMid: mid, sdpMLineIndex: sdpMLineIndex ?? null });
    } catch {
      // One candidate the browser cannot use; ICE goes on with the others.
    }
  };

  return {
    sound: received('audio'),
    room: received('camera'),
    content: received('content'),
    offer: async () => {
      await pc.setLocalDescription();
      return pc.localDescription?.sdp ?? '';
    },
    accept: async (sdp) => {
      await pc.setRemoteDescription({ type: 'answer', sdp });
      const waiting = early;
      early = [];
      for (const candidate of waiting) await add(candidate);
    },
    addCandidate: async (candidate) => {
      if (pc.remoteDescription) await add(candidate);
      else if (early.length < 64) early.push(candidate);
    },
    setTrack: (slot, track) => slots[slot].sender.replaceTrack(track),
    received: async () => {
      let bytes = 0;
      (await pc.getStats()).forEach((one) => {
        if (one.type === 'inbound-rtp') bytes += one.bytesReceived ?? 0;
      });
      return bytes;
    },
    close: () => {
      pc.onicecandidate = pc.oniceconnectionstatechange = pc.onconnectionstatechange = null;
      pc.close();
    },
  };
}
