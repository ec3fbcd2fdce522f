// What the pages under /join/ share: one store, one session, one set of devices.
import { ApiError, joinInfo, RoomApi } from '../io/api';
import { LocalMedia } from '../io/media';
import type { Kind } from '../io/media';
import { createPeer } from '../io/peer';
import { openEvents, openSignalling } from '../io/sockets';
import { Devices } from '../session/devices';
import { keepPlace, takePlace } from '../session/place';
import { keptDevices, keptName } from '../session/kept';
import { SelfMute } from '../session/self_mute';
import { Session } from '../session/session';
import { initialState, reduce } from '../store/meeting';
import type { Event, State } from '../store/meeting';
import { Store } from '../store/store';
import { refusal } from '../strings';

export interface App {
  store: Store<State, Event>;
  session: Session;
  devices: Devices;
}

/** The socket did not open. A plain request tells why: nobody there, too much asked, or the server is about to end. */
async function diagnose(alias: string): Promise<string> {
  try {
    await joinInfo(alias);
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 503) return refusal('shutdown');
    if (status === 429) return refusal('overload');
    return refusal('unreachable');
  }
  return refusal('no_socket');
}

function createMedia(): LocalMedia {
  const { microphone, camera, speaker } = keptDevices;
  return new LocalMedia({ microphone: microphone.read(), camera: camera.read(), speaker: speaker.read() });
}

/** Leaving the page may be a reload of it: the place in the meeting waits for the next one. */
function survivePageChanges(app: App): void {
  const { store, session, devices } = app;
  const { alias } = store.state;
  addEventListener('pagehide', () => {
    const { media } = store.state;
    const on = (kind: Kind) => media[kind] === 'on' || media[kind] === 'starting';
    const wanted = { microphone: on('microphone'), camera: on('camera') };
    const place = session.suspend();
    if (place) keepPlace({ alias, ...place, ...wanted }, Date.now());
  });
  const resume = () => {
    const place = takePlace(alias, Date.now());
    if (!place) return false;
    session.resume(place);
    void devices.restore(place);
    return true;
  };
  resume();
  // The browser kept the whole page and shows it again.
  addEventListener('pageshow', (event) => {
    if (event.persisted && store.state.phase === 'reconnecting' && !resume()) store.dispatch({ type: 'rejoin_offered' });
  });
}

export function createApp(alias: string): App {
  const store = new Store<State, Event>(reduce, initialState(alias, keptName.read()));
  const media = createMedia();
  const session = new Session(
    {
      openSignalling,
      openEvents,
      createPeer,
      createApi: (room, bearer) => new RoomApi(room, bearer),
      diagnose,
      media,
      codec: new URLSearchParams(location.search).get('codec') === 'h264' ? 'h264' : 'vp8',
      now: () => performance.now(),
      random: Math.random,
    },
    store,
  );
  addEventListener('online', () => session.on_network_returned());
  addEventListener('offline', () => session.on_network_lost());
  const devices = new Devices(media, store);
  new SelfMute(
    store,
    (self_muted) => session.act((api, id) => api.update(id, { self_muted })),
    (muted) => devices.setMicrophone(!muted),
  );
  const app = { store, session, devices };
  survivePageChanges(app);
  return app;
}
