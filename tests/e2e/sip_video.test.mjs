// H.264 over SIP: a room system (TLS, SRTP mandatory) and a browser see each other; both codecs meet in one room.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

const blue = [0, 0, 255]; // one of the three stripes of baresip's picture
let vmrd, browser, anna, system, other;

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "safe"\nlayout = "equal"\nencryption = "required"\n');
  const secure = { transport: 'tls', encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt` };
  browser = await launchChromium();
  anna = await Person.open(browser, { frequency: 1000, colour: colours.magenta });
  await anna.join(vmrd.url, 'safe', { name: 'Anna', query: '?codec=h264' });
  system = await Baresip.start({ name: 'System', frequency: 600, video: 'h264', ...secure });
  other = await Baresip.start({ name: 'Other', frequency: 1600, video: 'vp8', ...secure });
  await anna.state('in_room');
});

after(async () => {
  await browser?.close();
  await system?.stop();
  await other?.stop();
  await vmrd?.stop();
});

const seenBy = (one, these, those = []) => {
  let last;
  return until(async () => {
    last = await one.sees([...these, ...those]);
    return last.slice(0, these.length).every((share) => share > 0.05) && last.slice(these.length).every((share) => share < 0.01);
  }, 15_000, () => `shares ${last}`);
};

test('a room system with H.264 and a browser with H.264 see and hear each other, and not themselves', async () => {
  await system.dial(vmrd.sipsUri('safe'));
  assert.ok(system.established(), system.output);
  await anna.sees([blue], [colours.magenta]);
  await seenBy(system, [colours.magenta], [blue]);
  await anna.hears([600], [1000]);
  await system.hears([1000], [600]);
  const { crypto } = await vmrd.participant('safe', 'System');
  assert.equal(crypto.encrypted, true);
  assert.match(crypto.media, /^SDES /);
});

test('a room system with VP8 comes in: each sees the two others, whatever their codec', async () => {
  await other.dial(vmrd.sipsUri('safe'));
  assert.ok(other.established(), other.output);
  await seenBy(other, [colours.magenta, blue]);
  await seenBy(system, [colours.magenta, blue]);
  await other.hears([600, 1000], [1600]);
});

test('the records say which codec went each way', async () => {
  await system.stop();
  await other.stop();
  await anna.leave();
  for (const [name, codec] of [['System', 'h264'], ['Other', 'vp8'], ['Anna', 'h264']]) {
    const record = await until(() => vmrd.calls().find((call) => call.name === name), 5000);
    const video = record.streams.filter((one) => one.kind === 'video');
    assert.deepEqual(video.map((one) => one.codec), [codec, codec]);
    assert.ok(video.every((one) => one.packets > 0), JSON.stringify(video));
  }
});
