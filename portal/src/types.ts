// The API's objects by the names the page uses. src/api-types.ts is generated from schemas/api.
import type * as api from './api-types';

export type { JoinInfo, Layout, LobbyReason, Participant, Role, Room, Session, Status } from './api-types';
export type LegState = api.State;
export type CryptoReceipt = api.Crypto;

/** What the page needs of a CloudEvent. */
export type CloudEvent = Pick<api.Event, 'id' | 'type' | 'data'> & Partial<Pick<api.Event, 'time'>>;

// Signalling, server to client. SDP messages are narrowed: the server only ever answers.
export type LegMessage =
  | api.SignalJoined
  | { type: 'answer'; sdp: string }
  | api.SignalCandidate
  | api.SignalState
  | api.SignalError;

export type ClientMessage = api.SignalClientMessage;
