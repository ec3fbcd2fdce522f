// `/`: go to a meeting; with an administrator's one-time link, the rooms and how to reach them.
import { useEffect, useId, useState } from 'preact/hooks';
import { createSession, deleteSession, getStatus, listRooms } from '../io/api';
import type { Room, Status } from '../types';
import { fill, text } from '../strings';
import { useTitle } from './hooks';
import { Icon } from './icons';
import { Brand, CopyButton } from './parts';
import { meetingNumber } from './reach';

const kSessionKey = 'vmr.admin';

/** The one-time token leaves the address bar (and the history) before anything else happens. */
function takeOneTimeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('admin') ?? '';
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

async function signIn(): Promise<string> {
  const oneTime = takeOneTimeToken();
  if (!oneTime) return sessionStorage.getItem(kSessionKey) ?? '';
  const session = await createSession(oneTime);
  sessionStorage.setItem(kSessionKey, session.token);
  return session.token;
}

type Admin =
  | { step: 'none' }
  | { step: 'loading' }
  | { step: 'failed'; message: string }
  | { step: 'ready'; bearer: string; rooms: Room[]; status: Status };

async function loadAdmin(show: (admin: Admin) => void): Promise<void> {
  let bearer = '';
  try {
    if (location.hash.includes('admin=')) show({ step: 'loading' });
    bearer = await signIn();
  } catch {
    show({ step: 'failed', message: text.start.adminFailed });
    return;
  }
  if (!bearer) return;
  try {
    const [rooms, status] = await Promise.all([listRooms(bearer), getStatus(bearer)]);
    show({ step: 'ready', bearer, rooms, status });
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === 401 || status === 403) {
      sessionStorage.removeItem(kSessionKey);
      show({ step: 'none' });
      return;
    }
    show({ step: 'failed', message: fill(text.start.loadFailed, { reason: (error as Error).message }) });
  }
}

function JoinForm() {
  const id = useId();
  return (
    <form
      class="card join-form"
      data-testid="start-form"
      onSubmit={(event) => {
        event.preventDefault();
        const alias = String(new FormData(event.currentTarget).get('alias') ?? '').trim();
        if (alias) location.assign(`/join/${encodeURIComponent(alias)}`);
      }}
    >
      <div class="field grow">
        <label for={id}>{text.start.enter}</label>
        <input id={id} name="alias" required maxLength={128} autocomplete="off" autocapitalize="none" spellcheck={false}
          data-testid="start-alias" />
      </div>
      <button class="button primary" data-testid="start-go">{text.start.go}</button>
    </form>
  );
}

/** The SIP addresses of the daemon's status are those of one room, or of none: the room's alias goes in front. */
export function sipAddress(address: string, alias: string): string {
  const match = /^(sips?:)(?:[^@]*@)?(.+)$/.exec(address);
  return match ? `${match[1]}${alias}@${match[2]}` : `sip:${alias}@${address}`;
}

interface Pins {
  host?: string;
  guest?: string;
}

/** Only a daemon that made the PINs itself (./dev run) tells them: status.pins, by room. */
function pinsOf(status: Status, room: Room): Pins {
  const pins = (status as { pins?: Record<string, Pins> }).pins;
  return pins?.[room.id] ?? {};
}

function Row(props: { label: string; value: string; testid: string; copy?: boolean }) {
  return (
    <>
      <dt>{props.label}</dt>
      <dd>
        <span class="value" data-testid={props.testid}>{props.value}</span>
        {props.copy && <CopyButton value={props.value} label={text.start.copyLink} />}
      </dd>
    </>
  );
}

function RoomCard({ room, status }: { room: Room; status: Status }) {
  const alias = room.aliases[0] ?? room.id;
  const link = `${location.origin}/join/${encodeURIComponent(alias)}`;
  const number = meetingNumber(room);
  const pins = pinsOf(status, room);
  const sip = Object.values(status.sip ?? {}).filter((one): one is string => typeof one === 'string');
  const pin = (has: boolean, value?: string) => (has ? (value ?? text.start.pinSet) : text.start.noPin);
  return (
    <li class="card room-card" data-testid="room-card" data-room={room.id}>
      <div class="room-head">
        <h3>{room.title || room.id}</h3>
        <span class="muted">
          {room.locked && <Icon name="lock" />}
          {room.participant_count ? fill(text.start.people, { count: room.participant_count }) : text.start.empty}
        </span>
        <a class="button primary" href={`/join/${encodeURIComponent(alias)}`} data-testid="room-join"
          aria-label={`${text.start.join} ${room.title || room.id}`}>{text.start.join}</a>
      </div>
      <dl class="facts">
        <Row label={text.start.link} value={link} testid="room-link" copy />
        {sip.map((one) => <Row key={one} label={text.start.sip} value={sipAddress(one, alias)} testid="room-sip" />)}
        {(room.dial_in ?? []).map((one) => <Row key={one} label={text.start.dial} value={one} testid="room-dial" />)}
        {number && <Row label={text.start.meetingId} value={number} testid="room-number" />}
        <Row label={text.start.hostPin} value={pin(room.has_host_pin, pins.host)} testid="room-host-pin" />
        {room.guests_allowed && (
          <Row label={text.start.guestPin} value={pin(room.has_guest_pin, pins.guest)} testid="room-guest-pin" />
        )}
      </dl>
    </li>
  );
}

function uptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function AdminView({ admin, on_signed_out }: { admin: Extract<Admin, { step: 'ready' }>; on_signed_out: () => void }) {
  const { rooms, status, bearer } = admin;
  return (
    <section aria-labelledby="rooms-heading" data-testid="admin">
      <div class="section-head">
        <div>
          <h2 id="rooms-heading">{text.start.adminHeading}</h2>
          <p class="muted">{text.start.adminLead}</p>
        </div>
        <button class="button" data-testid="sign-out"
          onClick={() => {
            sessionStorage.removeItem(kSessionKey);
            void deleteSession(bearer).catch(() => undefined); // it expires by itself
            on_signed_out();
          }}>
          {text.start.signOut}
        </button>
      </div>
      {rooms.length === 0 && <p class="card">{text.start.noRooms}</p>}
      <ul class="rooms">
        {rooms.map((room) => <RoomCard key={room.id} room={room} status={status} />)}
      </ul>
      <p class="muted small">
        {fill(text.start.version, { version: status.version, uptime: uptime(status.uptime_seconds) })}
      </p>
    </section>
  );
}

export function StartPage() {
  const [admin, setAdmin] = useState<Admin>({ step: 'none' });
  useTitle(text.app);
  useEffect(() => {
    document.documentElement.dataset.state = 'start';
    const load = () => void loadAdmin(setAdmin);
    load();
    addEventListener('hashchange', load);
    return () => removeEventListener('hashchange', load);
  }, []);
  return (
    <div class="page">
      <header class="page-head"><Brand /></header>
      <main class="page-main start">
        <h1>{text.start.heading}</h1>
        <p class="lead">{text.start.lead}</p>
        <JoinForm />
        <div aria-live="polite">
          {admin.step === 'loading' && <p>{text.start.adminLoading}</p>}
          {admin.step === 'failed' && <p class="notice error" data-testid="admin-error">{admin.message}</p>}
        </div>
        {admin.step === 'ready' && <AdminView admin={admin} on_signed_out={() => setAdmin({ step: 'none' })} />}
      </main>
    </div>
  );
}
