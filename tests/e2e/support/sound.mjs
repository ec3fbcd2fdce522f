// Sound files: the level of a tone in what was recorded, and keypad tones to play.
import { readFileSync, writeFileSync } from 'node:fs';

// A WAV that may still be growing: its sizes, and with linphone its whole header, are not filled in yet. 16-bit PCM only.
export function readRecording(path, unwritten = { channels: 1, rate: 48000 }) {
  const bytes = readFileSync(path);
  if (bytes.length < 44) return null;
  const written = bytes.readUInt32LE(24) !== 0;
  const channels = written ? bytes.readUInt16LE(22) : unwritten.channels;
  const rate = written ? bytes.readUInt32LE(24) : unwritten.rate;
  const start = written ? bytes.indexOf('data', 12, 'latin1') + 8 : 44;
  const count = Math.floor((bytes.length - start) / (2 * channels));
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i++) samples[i] = bytes.readInt16LE(start + 2 * channels * i) / 32768;
  return { rate, samples };
}

// Levels of `frequencies` in dB of full scale over the last `seconds`: windowed Goertzel.
export function levels({ rate, samples }, frequencies, seconds = 1) {
  const length = Math.floor(rate * seconds);
  if (samples.length < length) return frequencies.map(() => -200);
  const offset = samples.length - length;
  return frequencies.map((frequency) => {
    const step = (2 * Math.PI * frequency) / rate;
    let real = 0, imaginary = 0;
    for (let i = 0; i < length; i++) {
      const window = 1 - Math.cos((2 * Math.PI * i) / length); // Hann, gain 1
      real += samples[offset + i] * window * Math.cos(step * i);
      imaginary += samples[offset + i] * window * Math.sin(step * i);
    }
    return 20 * Math.log10(Math.max((2 * Math.hypot(real, imaginary)) / length, 1e-10));
  });
}

const rows = [697, 770, 852, 941];
const columns = [1209, 1336, 1477];
const keypad = ['123', '456', '789', '*0#'];

// A WAV of keypad tones (ITU-T Q.23), 8 kHz mono, after `lead` seconds of silence.
export function writeKeys(path, keys, { lead = 1, tail = 30, on = 0.12, off = 0.12, rate = 8000 } = {}) {
  const parts = [new Float64Array(lead * rate)];
  for (const key of keys) {
    const row = keypad.findIndex((line) => line.includes(key));
    const pair = [rows[row], columns[keypad[row].indexOf(key)]];
    parts.push(Float64Array.from({ length: on * rate }, (_, i) =>
      0.25 * pair.reduce((sum, hertz) => sum + Math.sin((2 * Math.PI * hertz * i) / rate), 0)));
    parts.push(new Float64Array(Math.round(off * rate)));
  }
  parts.push(new Float64Array(tail * rate));
  return writeWav(path, parts, rate);
}

// A WAV of one tone.
export function writeTone(path, frequency, seconds, rate = 16000) {
  const tone = Float64Array.from({ length: seconds * rate }, (_, i) => 0.25 * Math.sin((2 * Math.PI * frequency * i) / rate));
  return writeWav(path, [tone], rate);
}

// The same as bare G.711 mu-law samples, 8 kHz.
export function writeMuLaw(path, frequency, seconds) {
  const bytes = Buffer.alloc(8000 * seconds);
  for (let i = 0; i < bytes.length; i++) {
    const sample = 0.25 * Math.sin((2 * Math.PI * frequency * i) / 8000);
    const magnitude = Math.round(Math.abs(sample) * 32767 * 0.99) + 132;
    const exponent = Math.floor(Math.log2(magnitude)) - 7;
    bytes[i] = ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
  }
  writeFileSync(path, bytes);
}

function writeWav(path, parts, rate) {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.alloc(44 + 2 * count);
  bytes.write('RIFF', 0); bytes.writeUInt32LE(36 + 2 * count, 4); bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16); bytes.writeUInt16LE(1, 20); bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24); bytes.writeUInt32LE(2 * rate, 28); bytes.writeUInt16LE(2, 32); bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36); bytes.writeUInt32LE(2 * count, 40);
  let at = 44;
  for (const part of parts) for (const sample of part) { bytes.writeInt16LE(Math.round(sample * 32767), at); at += 2; }
  writeFileSync(path, bytes);
  return path;
}
