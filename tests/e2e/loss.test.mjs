// UDP packets are lost, at random, in both directions: what one sends another still sees and hears, by what is sent again
// or, where that was not agreed on, by forward error correction. Runs in a network namespace of its own (run.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const seconds = 20;
let vmrd, chromium;

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
layout = "single"

[[rooms]]
id = "far"
layout = "single"
`, { mediaKeys: 'video_framerate = 30' });
  chromium = await launchChromium();
});
after(async () => {
  await chromium?.close();
  await vmrd?.stop();
});

const nft = (text) => execFileSync('nft', ['-f', '-'], { input: text });
// Where they arrive: what is dropped on the way out is an error to who sends.
const lose = (oneOf) => nft(`table inet lossy {
  chain arriving {
    type filter hook input priority 0
    meta l4proto udp numgen random mod ${oneOf} 0 counter drop
  }
}
`);
const loseNothing = () => nft('delete table inet lossy\n');

// NACK is neither offered nor done.
const withoutNack = () => {
  const set = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function () {
    const offer = await this.createOffer();
    return set.call(this, { type: 'offer', sdp: offer.sdp.replaceAll(/a=rtcp-fb:\d+ nack\r\n/g, '') });
  };
};

async function meet(room, prepare) {
  const people = [await Person.open(chromium, { frequency: 700, colour: colours.red, clock: true }), await Person.open(chromium, { frequency: 1100, colour: colours.magenta })];
  for (const [i, person] of people.entries()) {
    if (prepare) await person.page.evaluateOnNewDocument(prepare);
    await person.join(vmrd.url, room, { name: ['Anna', 'Ben'][i] });
    await person.state('in_room');
  }
  const ben = people[1];
  await ben.hears([700]);
  await until(async () => (await ben.page.evaluate(() => window.probe.smoothness(1000))).shown > 15, 20_000, () => 'pictures without loss');
  return people;
}

// Of what arrives at that person: decoded a second, and what the room showed and let hear, see smoothness().
async function watch(person) {
  const before = await decoded(person);
  const begun = Date.now();
  const result = await person.page.evaluate((time) => window.probe.smoothness(time), seconds * 1000);
  return { ...result, rate: ((await decoded(person)) - before) / ((Date.now() - begun) / 1000) };
}

// Packets that the browser sent a second time, and that were sent to it a second time.
const resent = (person) => person.page.evaluate(async () => {
  const stats = [...(await window.probe.peers.at(-1).getStats()).values()];
  const sum = (type, name) => stats.reduce((total, one) => total + (one.type === type && one.kind === 'video' ? one[name] ?? 0 : 0), 0);
  return { sent: sum('outbound-rtp', 'retransmittedPacketsSent'), received: sum('inbound-rtp', 'retransmittedPacketsReceived') };
});

// A browser without a screen does not present all that it decodes, with or without loss: five in six here.
const decoded = (person) => person.page.evaluate(async () => {
  const stats = [...(await window.probe.peers.at(-1).getStats()).values()];
  return Math.max(...stats.map((one) => (one.type === 'inbound-rtp' && one.kind === 'video' ? one.framesDecoded ?? 0 : 0)));
});

test('ten percent of loss each way leaves 20 of 30 pictures a second and no silence of 60 ms', async () => {
  const [anna, ben] = await meet('meet');
  lose(10);
  // Until retransmission is under way, the first second or so is the beginning of a call.
  await until(async () => {
    const [a, b] = [await resent(anna), await resent(ben)];
    return a.sent > 3 && b.received > 3;
  }, 15_000, async () => `retransmissions: ${JSON.stringify([await resent(anna), await resent(ben)])}`);
  const result = await watch(ben);
  loseNothing();
  console.log(JSON.stringify({ ...result, anna: await resent(anna), ben: await resent(ben) }));
  assert.ok(result.rate >= 20, `${result.rate} decoded a second`);
  assert.ok(result.shown >= 15 * seconds, JSON.stringify(result));
  assert.ok(result.silence <= 60, JSON.stringify(result));
  for (const person of [anna, ben]) await person.context.close();
});

// Keyframes that had to be asked for, and what was sent again.
const corrected = (person) => person.page.evaluate(async () => {
  const stats = [...(await window.probe.peers.at(-1).getStats()).values()];
  const sum = (type, name) => stats.reduce((total, one) => total + (one.type === type && one.kind === 'video' ? one[name] ?? 0 : 0), 0);
  return { asked: sum('inbound-rtp', 'pliCount'), wasAsked: sum('outbound-rtp', 'pliCount'),
    again: sum('inbound-rtp', 'retransmittedPacketsReceived'), nacks: sum('inbound-rtp', 'nackCount') };
});

// Chromium waits three seconds for a picture that does not come before it asks for a keyframe.
test('where nothing is sent again, forward error correction mends a loss of two percent', async () => {
  const [anna, ben] = await meet('far', withoutNack);
  lose(50);
  const result = await watch(ben);
  loseNothing();
  const [a, b] = [await corrected(anna), await corrected(ben)];
  console.log(JSON.stringify({ ...result, anna: a, ben: b }));
  assert.equal(b.again + b.nacks, 0);
  assert.ok(result.rate >= 15, `${result.rate} decoded a second`);
});
