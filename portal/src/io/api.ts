// The control API (/api/v1). Nothing here keeps state but the bearer that each call carries.
import { refusal } from '../strings';
import type { JoinInfo, Layout, Room, Session, Status } from '../types';
import type { ParticipantUpdate, Right } from '../api-types';

export const kApiBase = '/api/v1';
const kTimeoutMs = 10_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function problemText(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { title?: unknown; detail?: unknown };
    const words = problem.detail || problem.title;
    if (typeof words === 'string') return words.slice(0, 300);
  } catch {
    // Not JSON: the status line has to do.
  }
  return `${response.status} ${response.statusText}`;
}

export async function request<T>(method: string, path: string, bearer: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(kApiBase + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(kTimeoutMs),
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch {
    throw new ApiError(0, refusal('unreachable'));
  }
  if (!response.ok) throw new ApiError(response.status, await problemText(response));
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

const part = encodeURIComponent;

export const joinInfo = (alias: string) => request<JoinInfo>('GET', `/join/${part(alias)}`, '');
export const createSession = (token: string) => request<Session>('POST', '/session', '', { token });
export const deleteSession = (bearer: string) => request<void>('DELETE', '/session', bearer);
export const getStatus = (bearer: string) => request<Status>('GET', '/status', bearer);
export const listRooms = async (bearer: string) =>
  (await request<{ rooms: Room[] }>('GET', '/rooms', bearer)).rooms;

/** What participants (hosts mostly) ask of their room. */
export class RoomApi {
  constructor(
    private readonly room: string,
    private readonly bearer: string,
  ) {}

  private post = (path: string, body?: unknown) =>
    request<void>('POST', `/rooms/${part(this.room)}${path}`, this.bearer, body);

  lock = (locked: boolean) => this.post('/lock', { locked });
  layout = (layout: Layout) => this.post('/layout', { layout });
  muteGuests = (muted: boolean) => this.post('/mute-guests', { muted });
  muteNewcomers = (muted: boolean) => this.post('/mute-newcomers', { muted });
  allowChat = (allowed: boolean) => this.post('/chat', { allowed });
  say = (text: string) => this.post('/messages', { text });
  admitAll = () => this.post('/admit-all');
  end = () => this.post('/end');
  dialOut = (address: string) => this.post('/dial-out', { address });
  admit = (participant: string) => this.post(`/participants/${part(participant)}/admit`);
  refuse = (participant: string) => this.post(`/participants/${part(participant)}/refuse`);
  hold = (participant: string) => this.post(`/participants/${part(participant)}/hold`);
  grant = (participant: string, right: Right, granted: boolean) =>
    this.post(`/participants/${part(participant)}/grants`, { right, granted });
  update = (participant: string, changes: ParticipantUpdate) =>
    request<void>('PATCH', `/rooms/${part(this.room)}/participants/${part(participant)}`, this.bearer, changes);
  remove = (participant: string) =>
    request<void>('DELETE', `/rooms/${part(this.room)}/participants/${part(participant)}`, this.bearer);
}
