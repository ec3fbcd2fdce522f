// Participants and rooms for tests.
import type { Participant, Room } from '@portal/types';

export function person(id: string, changes: Partial<Participant> = {}): Participant {
  return {
    id,
    name: id,
    role: 'guest',
    state: 'in_room',
    lobby_reason: null,
    leg: 'webrtc',
    muted: false,
    self_muted: false,
    talking: false,
    hand: false,
    spotlight: false,
    sharing: false,
    joined_at: '2026-01-01T10:00:00Z',
    crypto: { signalling: 'TLSv1.3', media: 'DTLS-SRTP AEAD_AES_256_GCM 256', encrypted: true },
    grants: [],
    ...changes,
  };
}

export function room(changes: Partial<Room> = {}): Room {
  return {
    id: 'board',
    title: 'Board',
    aliases: ['board'],
    locked: false,
    layout: 'speaker',
    guests_allowed: true,
    has_host_pin: true,
    has_guest_pin: false,
    host_present: true,
    unencrypted: false,
    muted_guests: false,
    mute_newcomers: false,
    chat_allowed: true,
    encryption: 'required',
    host_absence: 'end',
    started_at: null,
    recording: false,
    participant_count: 1,
    ...changes,
  };
}
