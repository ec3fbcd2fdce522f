// The main scenario: two browsers, a SIP room system (TLS, SRTP mandatory, VP8) and a telephone over a trunk hear and
// see each other, each without oneself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { launchChromium, Person } from './support/browser.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

const yellow = [255, 255, 0];
const cyan = [0, 200, 200];
const blue = [0, 0, 255]; // one of the three stripes of baresip's picture
const frequencies = { anna: 1000, ben: 2000, system: 600, phone: 1500 };

let vmrd, browser;
const people = {};

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
layout = "equal"
[[trunks]]
name = "carrier"
addresses = ["127.0.0.2"]
[trunks.numbers]
"+15550100" = "meet"
`);
  browser = await launchChromium();
  people.anna = await Person.open(browser, { frequency: frequencies.anna, colour: yellow });
  people.ben = await Person.open(browser, { frequency: frequencies.ben, colour: cyan });
  await people.anna.join(vmrd.url, 'meet', { name: 'Anna' });
  await people.ben.join(vmrd.url, 'meet', { name: 'Ben' });
  people.system = await Baresip.start({ name: 'System', frequency: frequencies.system, video: 'vp8', transport: 'tls',
    encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt` });
  people.phone = await Baresip.start({ name: 'Phone', frequency: frequencies.phone, address: '127.0.0.2' });
  await people.system.dial(vmrd.sipsUri('meet'));
  await people.phone.dial(vmrd.sipUri('+15550100'));
  await people.anna.state('in_room');
  await people.ben.state('in_room');
});

after(async () => {
  await browser?.close();
  await people.system?.stop();
  await people.phone?.stop();
  await vmrd?.stop();
});

test('both calls are answered', () => {
  assert.ok(people.system.established(), people.system.output);
  assert.ok(people.phone.established(), people.phone.output);
});

for (const name of Object.keys(frequencies)) {
  test(`${name} hears the three others and not oneself`, () => {
    const others = Object.keys(frequencies).filter((other) => other !== name).map((other) => frequencies[other]);
    return people[name].hears(others, [frequencies[name]]);
  });
}

test('browsers see each other and the room system, and not themselves', async () => {
  await people.anna.sees([cyan, blue], [yellow]);
  await people.ben.sees([yellow, blue], [cyan]);
});

test('the room system sees both browsers and not itself', async () => {
  let last;
  await until(async () => {
    last = await people.system.sees([yellow, cyan, blue]);
    return last[0] > 0.05 && last[1] > 0.05 && last[2] < 0.01;
  }, 15_000, () => `shares ${last}`);
});

test('the roster says how each leg came and how it is encrypted', async () => {
  const roster = Object.fromEntries((await vmrd.participants('meet')).map((one) => [one.name, one]));
  assert.equal(roster.Anna.leg, 'webrtc');
  assert.match(roster.Anna.crypto.media, /DTLS-SRTP AEAD_AES_256_GCM/);
  assert.equal(roster.System.leg, 'sip');
  assert.match(roster.System.crypto.media, /SDES AES_CM_128_HMAC_SHA1_80/);
  assert.match(roster.System.crypto.signalling, /^TLSv1\.[23]/);
  assert.equal(roster.System.crypto.encrypted, true);
  assert.equal(roster.Phone.leg, 'phone');
  assert.equal(roster.Phone.crypto.encrypted, false);
});

test('one who mutes a telephone by *6 is heard no more by anyone, and again after *6', async () => {
  await people.phone.press('*6');
  await until(async () => (await vmrd.participant('meet', 'Phone')).self_muted, 5000);
  await people.anna.hears([frequencies.ben, frequencies.system], [frequencies.phone]);
  await people.system.hears([frequencies.anna], [frequencies.phone]);
  await people.phone.press('*6');
  await people.system.hears([frequencies.phone]);
});

test('a room system that dies is noticed and ended with a cause; the room goes on', async () => {
  await people.system.kill();
  await until(async () => !(await vmrd.participants('meet')).some((one) => one.name === 'System' && one.state === 'in_room'), 60_000);
  const record = await until(() => vmrd.calls().find((call) => call.name === 'System'), 5000);
  assert.notEqual(record.end_cause, 'normal');
  await people.anna.hears([frequencies.ben, frequencies.phone], [frequencies.system]);
  await people.phone.hears([frequencies.anna, frequencies.ben], [frequencies.system]);
});

test('records hold codecs and packets of each direction', async () => {
  await people.phone.stop();
  const record = await until(() => vmrd.calls().find((call) => call.name === 'Phone'), 5000);
  const stream = (direction) => record.streams.find((one) => one.kind === 'audio' && one.direction === direction);
  assert.equal(stream('in').codec, 'pcmu');
  assert.ok(stream('in').packets > 50 && stream('out').packets > 50);
  assert.ok(stream('in').lost >= 0);
  assert.equal(record.trunk, 'carrier');
  assert.equal(record.end_cause, 'normal');
});
