// What this browser remembers of a person from meeting to meeting. Nothing secret; works without storage too.
const kMaxText = 512;

function read(key: string): string {
  try {
    return (localStorage.getItem(key) ?? '').slice(0, kMaxText);
  } catch {
    return ''; // storage is switched off
  }
}

function write(key: string, value: string): void {
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch {
    // Then it is asked again next time.
  }
}

const kept = (key: string) => ({ read: () => read(key), write: (value: string) => write(key, value) });

export const keptName = kept('vmr.name');
export const keptDevices = {
  microphone: kept('vmr.microphone'),
  camera: kept('vmr.camera'),
  speaker: kept('vmr.speaker'),
};
/** 'off', or nothing. */
export const keptShortcuts = kept('vmr.shortcuts');
