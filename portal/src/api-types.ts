// Made by tools/api-types.mjs from schemas/api/openapi.json; do not edit.

/** Room id; unique on this server, never reused while the room exists. */
export type RoomId = string;

/** Participant id; unique within a server run. */
export type ParticipantId = string;

export type Layout = "speaker" | "equal" | "single" | "content";

export type Role = "host" | "guest";

export type Right = "admit" | "mute" | "layout" | "record";

/** What the room asks of each leg: `required` refuses an unencrypted leg, `best_effort` marks it, `off` is for tests. */
export type Encryption = "required" | "best_effort" | "off";

/** What happens when the last host has been away for the grace period. */
export type HostAbsence = "end" | "continue" | "rehold";

export type State = "connecting" | "pin" | "lobby" | "in_room" | "left";

export type LobbyReason = "awaiting_host" | "locked" | "held";

export type LegKind = "webrtc" | "sip" | "phone" | "h323";

/** Crypto receipt of a leg. */
export type Crypto = {
  /** TLS version and suite, or `none`. */
  signalling: string;
  /** Key exchange, suite and key bits, or `none`. */
  media: string;
  encrypted: boolean;
};

export type Participant = {
  id: ParticipantId;
  name: string;
  role: Role;
  state: State;
  /** Only while `state` is `lobby`. */
  lobby_reason?: "awaiting_host" | "locked" | "held" | null;
  leg: LegKind;
  /** Muted by a host. */
  muted: boolean;
  /** Muted by the participant. */
  self_muted: boolean;
  talking: boolean;
  /** Hand raised. */
  hand: boolean;
  spotlight: boolean;
  /** Sends content (screen share). */
  sharing: boolean;
  /** When the leg arrived (RFC 3339, UTC). */
  joined_at: string;
  /** Remote address; only hosts and admins see it, and nobody where the caller withholds it. */
  address?: string;
  /** What the telephone network says of the caller's number (STIR/SHAKEN); absent: nothing. */
  caller_verification?: "passed" | "failed" | "none";
  user_agent?: string;
  crypto: Crypto;
  grants: Array<Right>;
  /** Only while the room calls this participant and there is no answer yet. */
  call?: "dialling" | "ringing" | "early_media";
  /** Only in vmr.participant.left. */
  ended?: {
    cause: string;
    /** Of a call of ours that came to nothing, for people: "486 Busy Here; Q.850 17 user busy". */
    text?: string;
    /** 0: no response came. */
    sip_status?: number;
    q850?: number;
  };
};

export type Room = {
  id: RoomId;
  title: string;
  aliases: Array<string>;
  /** Numbers of the room; those of digits alone can be typed at the reception. In answers of /rooms only, as dial_in. */
  numbers?: Array<string>;
  /** Numbers of trunks that lead here, or to the reception where a name or number of the room can be typed there. */
  dial_in?: Array<string>;
  locked: boolean;
  layout: Layout;
  guests_allowed: boolean;
  has_host_pin: boolean;
  has_guest_pin: boolean;
  host_present: boolean;
  /** True while any leg in the room is unencrypted: show a struck padlock. */
  unencrypted: boolean;
  muted_guests: boolean;
  mute_newcomers: boolean;
  /** Whether guests may write; hosts always may. */
  chat_allowed: boolean;
  encryption: Encryption;
  host_absence: HostAbsence;
  /** When the first participant arrived; null while empty. */
  started_at: string | null;
  recording: boolean;
  participant_count: number;
};

export type RoomCreate = {
  id: RoomId;
  title?: string;
  aliases?: Array<string>;
  /** 4 to 20 digits; empty removes it. Never returned. */
  host_pin?: string;
  /** 4 to 20 digits, other than the host PIN; empty removes it. Never returned. */
  guest_pin?: string;
  guests_allowed?: boolean;
  /** Whether guests may write; hosts always may. In a meeting hosts decide by allowChat. */
  chat_allowed?: boolean;
  layout?: Layout;
  encryption?: Encryption;
  /** Media keys shorter than this count as unencrypted. */
  min_key_bits?: 0 | 128 | 256;
  host_absence?: HostAbsence;
  /** Seconds. */
  grace?: number;
  /** Seconds. */
  lobby_timeout?: number;
  /** Seconds; 0 is never. */
  lone_timeout?: number;
  /** Seconds; 0 is no limit. */
  max_duration?: number;
  max_participants?: number;
  locale?: string;
};

export type RoomUpdate = {
  title?: string;
  aliases?: Array<string>;
  /** 4 to 20 digits; empty removes it. Never returned. */
  host_pin?: string;
  /** 4 to 20 digits, other than the host PIN; empty removes it. Never returned. */
  guest_pin?: string;
  guests_allowed?: boolean;
  /** Whether guests may write; hosts always may. In a meeting hosts decide by allowChat. */
  chat_allowed?: boolean;
  layout?: Layout;
  encryption?: Encryption;
  /** Media keys shorter than this count as unencrypted. */
  min_key_bits?: 0 | 128 | 256;
  host_absence?: HostAbsence;
  /** Seconds. */
  grace?: number;
  /** Seconds. */
  lobby_timeout?: number;
  /** Seconds; 0 is never. */
  lone_timeout?: number;
  /** Seconds; 0 is no limit. */
  max_duration?: number;
  max_participants?: number;
  locale?: string;
};

export type RoomList = {
  rooms: Array<Room>;
};

export type ParticipantList = {
  participants: Array<Participant>;
};

export type ParticipantUpdate = {
  /** A host's mute (hosts only). */
  muted?: boolean;
  /** One's own mute; a host may set it to true for nobody but themselves. */
  self_muted?: boolean;
  role?: Role;
  hand?: boolean;
  spotlight?: boolean;
  name?: string;
};

export type Lock = {
  locked: boolean;
};

export type LayoutChange = {
  layout: Layout;
};

export type Mute = {
  muted: boolean;
};

export type ChatRight = {
  allowed: boolean;
};

export type ChatText = {
  /** At most 2000 bytes of UTF-8; no control characters but newline and tab. */
  text: string;
};

export type Keys = {
  digits: string;
};

export type Grant = {
  right: Right;
  granted: boolean;
};

export type DialOut = {
  /** sip:, sips: or tel: URI, user@domain, or a telephone number. */
  address: string;
  /** In the roster; the address if there is none. */
  name?: string;
  role?: Role;
};

export type Transfer = {
  /** sip:, sips: or tel: URI, user@domain, or a telephone number. */
  address: string;
};

export type Dialled = {
  participant: ParticipantId;
};

/** User part of its SIP address, and of its credentials; upper and lower case are the same. */
export type DeviceName = string;

export type DeviceContact = {
  uri: string;
  /** Where it registered from. */
  remote_address: string;
  user_agent: string;
  signalling: string;
  q: number;
  /** RFC 5626. */
  outbound: boolean;
  /** Seconds. */
  expires_in: number;
};

export type Device = {
  name: DeviceName;
  aliases: Array<DeviceName>;
  display_name: string;
  model: string;
  /** What its credentials may be made with. */
  digest: "sha256" | "md5" | "both";
  source: "configuration" | "api";
  /** new: it never registered since the server started; expired: it did, and does not now. */
  state: "new" | "registered" | "expired";
  /** Best first. */
  contacts: Array<DeviceContact>;
  user_agent: string;
  /** RFC 3339. */
  last_seen: string | null;
};

export type DeviceList = {
  devices: Array<Device>;
};

export type DevicePut = {
  secret?: string;
  aliases?: Array<DeviceName>;
  display_name?: string;
  model?: string;
  digest?: "sha256" | "md5" | "both";
};

export type DeviceSettings = {
  name: DeviceName;
  display_name: string;
  sip_uri: string;
  /** SIP URI to register at, and to call through. */
  proxy: string;
  /** URL. */
  phone_book: string | null;
  /** Seconds between CRLF (TCP, TLS) or STUN (UDP) keep-alives, at most. */
  keep_alive: number;
  /** Seconds to ask for when registering. */
  expires: number;
};

export type Spent = {
  /** Whose limit it is; not there: that of all rooms together. */
  room?: string;
  /** For calls out in the last 24 hours. */
  spent: number;
  limit: number;
};

export type CertificateExpiring = {
  file: string;
  subject: string;
  expires: string;
  /** Whole days; negative: so long ago. */
  days_left: number;
};

export type DeviceEvent = {
  device: DeviceName;
  contact: string;
  remote_address: string;
  user_agent: string;
  /** unregistered: device, removed, replaced; expired: time, connection; refused: why, for people. */
  reason: string;
};

export type SessionCreate = {
  token: string;
};

export type Session = {
  /** Bearer for `Authorization: Bearer` and the events WebSocket. */
  token: string;
  expires_at: string;
  kind: "admin";
};

export type JoinInfo = {
  alias: string;
  /** Empty unless the room is open to anyone. */
  title: string;
  asks_pin: boolean;
};

export type Stream = {
  kind: "audio" | "video" | "content";
  direction: "in" | "out";
  codec: string;
  packets: number;
  bytes: number;
  /** Packets (RFC 3550: may be negative with duplicates). */
  lost: number;
  jitter_ms: number;
  bitrate_bps: number;
  round_trip_ms: number | null;
  reordered?: number;
  duplicates?: number;
  ssrc_changes?: number;
  remote_lost?: number | null;
  remote_jitter_ms?: number | null;
};

export type Call = {
  id: string;
  room: string;
  room_title?: string;
  participant: string;
  name?: string;
  role: "host" | "guest" | "none";
  leg: LegKind;
  direction: "in" | "out";
  from: string;
  to: string;
  remote_address: string;
  local_address?: string;
  trunk?: string;
  /** What the telephone network says of the caller's number (STIR/SHAKEN): passed, failed, none; empty: nothing. */
  caller_verification?: string;
  /** The call's Identity headers (RFC 8224) as they came; vmrd does not verify them. */
  identity?: string;
  user_agent: string;
  server_version: string;
  started_at: string;
  admitted_at: string | null;
  ended_at: string;
  lobby_seconds: number;
  admitted: boolean;
  pin_attempts?: number;
  end_cause: string;
  end_text?: string;
  /** what a call of ours cost by its rule's price; not there: nothing */
  cost?: number;
  /** calls that this record stands for: 1, or more where a source was refused often within a minute */
  count?: number;
  crypto: CallCrypto;
  streams: Array<Stream>;
};

export type CallCrypto = {
  signalling: string;
  media: string;
  key_bits?: number;
  encrypted: boolean;
};

export type CallList = {
  calls: Array<Call>;
};

export type Status = {
  version: string;
  uptime_seconds: number;
  rooms: number;
  participants: number;
  /** SIP addresses in use. */
  sip?: Record<string, unknown>;
  numbers?: Array<string>;
};

/** RFC 9457 problem details. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: Array<{
    pointer: string;
    detail: string;
  }>;
};

export type Event = {
  specversion: "1.0";
  id: string;
  source: string;
  type: "vmr.snapshot" | "vmr.room.updated" | "vmr.participant.joined" | "vmr.participant.updated" | "vmr.participant.left" | "vmr.participant.transfer" | "vmr.talking" | "vmr.announcement" | "vmr.message" | "vmr.room.ended" | "vmr.device.registered" | "vmr.device.unregistered" | "vmr.device.expired" | "vmr.device.refused" | "vmr.trunk.up" | "vmr.trunk.down" | "vmr.certificate.expiring" | "vmr.spend.near_limit" | "vmr.spend.limit_reached";
  /** The room id, or the device's name; empty in the snapshot of devices, and where it is of the server. */
  subject: string;
  time: string;
  datacontenttype: "application/json";
  /** vmr.snapshot: Snapshot; vmr.room.updated: Room; vmr.participant.transfer: Transferring; other vmr.participant.*: Participant; vmr.talking: Talking; vmr.announcement: Announcement; vmr.message: ChatMessage; vmr.room.ended: Ended; of devices: vmr.snapshot: DeviceList; vmr.device.*: DeviceEvent; vmr.trunk.*: {trunk, proxy, why}; vmr.certificate.expiring: CertificateExpiring; vmr.spend.*: Spent. */
  data: Record<string, unknown>;
};

export type Snapshot = {
  room: Room;
  participants: Array<Participant>;
};

export type Talking = {
  participants: Array<ParticipantId>;
};

export type Announcement = {
  kind: string;
  text: string;
  /** `everyone`, `hosts`, or the id of the participant it is for. */
  to?: string;
};

export type ChatMessage = {
  /** Who wrote it; absent: an administrator, as the room. */
  participant?: string;
  /** The writer's name at that time, or the room's title. */
  name: string;
  text: string;
};

export type Transferring = {
  participant: ParticipantId;
  /** SIP: 100 to 199 while it goes on, 202 when the device does not tell the result, 200 when it is there. */
  status: number;
  text: string;
  done: boolean;
};

export type Ended = {
  cause: string;
};

export type SignalJoin = {
  type: "join";
  alias: string;
  name: string;
  reconnect?: string;
};

export type SignalJoined = {
  type: "joined";
  participant: ParticipantId;
  room: RoomId;
  token: string;
  ice_servers: Array<{
    urls: Array<string>;
    username?: string;
    credential?: string;
  }>;
  resumed: boolean;
};

export type SignalSdp = {
  type: "offer" | "answer";
  sdp: string;
};

export type SignalCandidate = {
  type: "candidate";
  candidate: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
};

export type SignalDigits = {
  type: "digits";
  digits: string;
};

export type SignalGuest = {
  type: "guest";
};

export type SignalBye = {
  type: "bye";
};

export type SignalContent = {
  type: "content";
  sharing: boolean;
};

export type SignalState = {
  type: "state";
  state: "pin" | "lobby" | "in_room" | "left";
  role?: Role;
  reason?: string;
  cause?: string;
  attempts_left?: number;
};

export type SignalError = {
  type: "error";
  code: string;
  message: string;
};

export type SignalClientMessage = SignalJoin | SignalSdp | SignalCandidate | SignalDigits | SignalGuest | SignalContent | SignalBye;

export type SignalServerMessage = SignalJoined | SignalSdp | SignalCandidate | SignalState | SignalError;
