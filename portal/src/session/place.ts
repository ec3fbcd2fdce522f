// My place in the meeting over a reload of the page. It is in the tab's sessionStorage only from the old page's end to
// the new one's beginning: a second tab does not get it, and nothing of it is kept while the meeting goes on.
export interface Place {
  alias: string;
  token: string;
  name: string;
  /** Whether it was on. */
  microphone: boolean;
  camera: boolean;
}

const kKey = 'vmr.place';
const kMaxAgeMs = 30_000; // the server keeps the seat of who dropped for so long
const kMaxText = 512;

export function keepPlace(place: Place, now: number): void {
  try {
    sessionStorage.setItem(kKey, JSON.stringify({ ...place, at: now }));
  } catch {
    // Storage is off or full: the reload joins anew.
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= kMaxText;

/** Reads it once: whatever it is, it is gone afterwards. */
export function takePlace(alias: string, now: number): Place | null {
  try {
    const stored = sessionStorage.getItem(kKey);
    sessionStorage.removeItem(kKey);
    const { at, ...place } = JSON.parse(stored ?? '{}') as Partial<Place> & { at?: unknown };
    if (place.alias !== alias || !isText(place.token) || !isText(place.name) || typeof at !== 'number') return null;
    if (at > now || now - at > kMaxAgeMs) return null;
    const { token, name } = place;
    return { alias, token, name, microphone: place.microphone === true, camera: place.camera === true };
  } catch {
    return null;
  }
}
