// GStreamer's webrtcbin as an independent client: hears, sees, is heard and is seen.
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Baresip } from './support/baresip.mjs';
import { pictureShares } from './support/picture.mjs';
import { levels } from './support/sound.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

// libnice does not pair a host's addresses with the loopback one.
const address = Object.values(networkInterfaces()).flat().find((one) => one.family === 'IPv4' && !one.internal)?.address;
const yellow = [255, 255, 0];
const blue = [0, 0, 255];
let vmrd, other, client;

before(async () => {
  if (!address) return;
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\nlayout = "equal"\n', { media: address });
  other = await Baresip.start({ name: 'Bob', frequency: 2000, video: 'vp8' });
  await other.dial(vmrd.sipUri('meet'));
  const folder = mkdtempSync(join(tmpdir(), 'vmr-webrtcbin-'));
  client = spawn('/usr/bin/python3', [join(fileURLToPath(new URL('.', import.meta.url)), 'support/webrtcbin.py'), vmrd.url, 'meet', 'Bin', folder,
    join(fileURLToPath(new URL('.', import.meta.url)), '../../pipelines/webrtcbin-client.launch')], { stdio: ['ignore', 'pipe', 'pipe'] });
  client.folder = folder;
  client.output = '';
  for (const stream of [client.stdout, client.stderr]) stream.on('data', (data) => (client.output += data));
});

after(async () => {
  client?.kill('SIGKILL');
  await other?.stop();
  await vmrd?.stop();
});

test('webrtcbin is heard and seen by others, hears and sees them, and not itself', { skip: !address }, async () => {
  await until(async () => (await vmrd.participant('meet', 'Bin'))?.state === 'in_room', 15_000, () => client.output);
  await other.hears([1000], [2000]);
  let shares;
  await until(async () => (shares = await other.sees([yellow]))[0] > 0.05, 10_000, () => `${shares}`);
  const heard = () => {
    const path = join(client.folder, 'heard.raw');
    if (!existsSync(path)) return [-200, -200];
    const bytes = readFileSync(path);
    const samples = Float64Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i) / 32768);
    return levels({ rate: 48000, samples }, [2000, 1000]);
  };
  await until(() => heard()[0] > -50 && heard()[1] < -60, 15_000, () => `${heard()} dB ${client.output}`);
  await until(() => {
    try {
      shares = pictureShares(join(client.folder, 'seen.png'), [blue, yellow]);
      return shares[0] > 0.05 && shares[1] < 0.01;
    } catch {
      return false; // not written yet, or not to its end
    }
  }, 15_000, () => `${shares} ${client.output}`);
  const { crypto } = await vmrd.participant('meet', 'Bin');
  assert.match(crypto.media, /^DTLS-SRTP /);
});
