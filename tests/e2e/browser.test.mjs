// Browsers in one room: each hears and sees the others and not itself; their calls leave complete records.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launchChromium, launchFirefox, Person, colours } from './support/browser.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, chromium, firefox;
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
title = "Meet"
layout = "equal"
[[rooms]]
id = "h264"
title = "H.264"
layout = "equal"
`);
  [chromium, firefox] = await Promise.all([launchChromium(), launchFirefox()]);
});
after(async () => {
  await Promise.all([chromium?.close(), firefox?.close()]);
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
});

async function enter(browser, room, name, frequency, colour, query = '') {
  const person = await Person.open(browser, { frequency, colour: colours[colour] });
  await person.join(vmrd.url, room, { name, query });
  await person.state('in_room');
  return person;
}

async function everyoneMeets(people) {
  for (const [person, tone, colour] of people) {
    const others = people.filter((one) => one[0] !== person);
    await person.hears(others.map((one) => one[1]), [tone]);
    await person.sees(others.map((one) => colours[one[2]]), [colours[colour]]);
  }
}

// By the browser's own count: enough went each way that a record can be told from an empty one.
function carried(person) {
  return until(() => person.page.evaluate(async () => {
    const stats = [...(await window.probe.peers[0].getStats()).values()];
    const most = (type, kind, count) => Math.max(0, ...stats.filter((one) => one.type === type && one.kind === kind).map((one) => one[count]));
    return ['audio', 'video'].every((kind) => most('outbound-rtp', kind, 'packetsSent') > 40 && most('inbound-rtp', kind, 'packetsReceived') > 40);
  }), 20_000, () => 'packets each way');
}

const recordOf = (name) => until(() => vmrd.calls().find((one) => one.name === name), 5_000, () => `record of ${name}`);

function checkStreams(record, video) {
  for (const [kind, direction, codec] of [['audio', 'in', 'opus'], ['audio', 'out', 'opus'], ['video', 'in', video], ['video', 'out', video]]) {
    const stream = record.streams.find((one) => one.kind === kind && one.direction === direction);
    assert.ok(stream, `${record.name}: ${kind} ${direction}`);
    assert.equal(stream.codec, codec);
    assert.ok(stream.packets > 20 && stream.bytes > 1000, `${record.name}: ${JSON.stringify(stream)}`);
    assert.ok(stream.lost >= -5 && stream.lost < stream.packets / 10, JSON.stringify(stream));
    assert.ok(stream.bitrate_bps > 0 && stream.jitter_ms >= 0 && stream.jitter_ms < 500, JSON.stringify(stream));
  }
}

test('two Chromium and a Firefox hear and see each other, and not themselves', async (t) => {
  const people = [
    [await enter(chromium, 'meet', 'Anna', 700, 'red'), 700, 'red'],
    [await enter(chromium, 'meet', 'Ben', 1100, 'magenta'), 1100, 'magenta'],
  ];
  await everyoneMeets(people);
  people.push([await enter(firefox, 'meet', 'Fritz', 1700, 'blue'), 1700, 'blue']);
  await everyoneMeets(people);
  for (const one of await vmrd.participants('meet')) {
    assert.equal(one.crypto.encrypted, true);
    if (one.name !== 'Fritz') assert.match(one.crypto.media, /DTLS-SRTP AEAD_AES_256_GCM \(256 bit\)/);
  }
  await t.test('the records say what each stream carried', async () => {
    // A round trip is known once the browser has reported on a sender report.
    for (const [person] of people.slice(0, 2)) {
      await until(() => person.page.evaluate(async () => {
        const stats = [...(await window.probe.peers[0].getStats()).values()];
        return stats.some((one) => one.type === 'remote-outbound-rtp' && one.reportsSent >= 2);
      }), 20_000, () => 'sender reports');
    }
    for (const [person] of people) await carried(person);
    for (const [person] of people) await person.leave();
    for (const [, , colour] of people) {
      const record = await recordOf({ red: 'Anna', magenta: 'Ben', blue: 'Fritz' }[colour]);
      checkRecord(record);
      checkStreams(record, 'vp8');
      assert.ok(record.name === 'Fritz' || record.streams.some((one) => one.round_trip_ms > 0 && one.remote_jitter_ms !== null), JSON.stringify(record.streams));
      assert.equal(record.end_cause, 'normal');
      assert.equal(record.admitted, true);
      assert.match(record.user_agent, colour === 'blue' ? /Firefox/ : /Chrome/);
    }
  });
  await Promise.all(people.map(([person]) => person.close()));
});

test('H.264', async () => {
  const people = [
    [await enter(chromium, 'h264', 'Hanna', 700, 'red', '?codec=h264'), 700, 'red'],
    [await enter(chromium, 'h264', 'Hugo', 1100, 'magenta', '?codec=h264'), 1100, 'magenta'],
    [await enter(chromium, 'h264', 'Vera', 1700, 'blue'), 1700, 'blue'], // VP8 in the same room
  ];
  await everyoneMeets(people);
  for (const [person] of people) await carried(person);
  for (const [person] of people) await person.leave();
  for (const [name, codec] of [['Hanna', 'h264'], ['Hugo', 'h264'], ['Vera', 'vp8']]) {
    const { streams } = await recordOf(name);
    const video = streams.filter((one) => one.kind === 'video');
    assert.deepEqual(video.map((one) => one.codec), [codec, codec]);
    assert.ok(video.every((one) => one.packets > 10), JSON.stringify(video));
  }
  await Promise.all(people.map(([person]) => person.close()));
});
