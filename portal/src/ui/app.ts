// What the pages under /join/ share: one store, one session, one set of devices.
import { RoomApi } from '../io/api';
import { LocalMedia } from '../io/media';
import { createPeer } from '../io/peer';
import { openEvents, openSignalling } from '../io/sockets';
import { Devices } from '../session/devices';
import { Session } from '../session/session';
import { initialState, reduce } from '../store/meeting';
import type { Event, State } from '../store/meeting';
import { Store } from '../store/store';

export interface App {
  store: Store<State, Event>;
  session: Session;
  devices: Devices;
}

const kNameKey = 'vmr.name';

export function rememberedName(): string {
  try {
    return localStorage.getItem(kNameKey) ?? '';
  } catch {
    return ''; // storage is switched off
  }
}

export function rememberName(name: string): void {
  try {
    localStorage.setItem(kNameKey, name);
  } catch {
    // Then it is typed again next time.
  }
}

export function createApp(alias: string): App {
  const store = new Store<State, Event>(reduce, initialState(alias, rememberedName()));
  const media = new LocalMedia();
  const session = new Session(
    {
      openSignalling,
      openEvents,
      createPeer,
      createApi: (room, bearer) => new RoomApi(room, bearer),
      media,
      codec: new URLSearchParams(location.search).get('codec') === 'h264' ? 'h264' : 'vp8',
      now: () => performance.now(),
      random: Math.random,
    },
    store,
  );
  addEventListener('online', () => session.on_network_returned());
  addEventListener('offline', () => session.on_network_lost());
  addEventListener('pagehide', () => {
    if (store.state.phase !== 'prejoin' && store.state.phase !== 'left') session.leave();
  });
  return { store, session, devices: new Devices(media, store) };
}
