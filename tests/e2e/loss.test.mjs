// A tenth of all UDP packets is lost, at random, in both directions: what one sends another still sees and hears. Runs in a
// network namespace of its own (run.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const seconds = 20;
let vmrd, chromium, anna, ben;

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
layout = "single"
`, { mediaKeys: 'video_framerate = 30' });
  chromium = await launchChromium();
});
after(async () => {
  await chromium?.close();
  await vmrd?.stop();
});

const nft = (text) => execFileSync('nft', ['-f', '-'], { input: text });

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
  anna = await Person.open(chromium, { frequency: 700, colour: colours.red, clock: true });
  ben = await Person.open(chromium, { frequency: 1100, colour: colours.magenta });
  for (const [person, name] of [[anna, 'Anna'], [ben, 'Ben']]) {
    await person.join(vmrd.url, 'meet', { name });
    await person.state('in_room');
  }
  await ben.hears([700]);
  await until(async () => (await ben.page.evaluate(() => window.probe.smoothness(1000))).shown > 15, 20_000, () => 'pictures without loss');
  // Where they arrive: what is dropped on the way out is an error to who sends.
  nft(`table inet lossy {
  chain arriving {
    type filter hook input priority 0
    meta l4proto udp numgen random mod 10 0 counter drop
  }
}
`);
  // Until retransmission is under way, the first second or so is the beginning of a call.
  await until(async () => {
    const [a, b] = [await resent(anna), await resent(ben)];
    return a.sent > 3 && b.received > 3;
  }, 15_000, async () => `retransmissions: ${JSON.stringify([await resent(anna), await resent(ben)])}`);
  const before = await decoded(ben);
  const begun = Date.now();
  const result = await ben.page.evaluate((time) => window.probe.smoothness(time), seconds * 1000);
  const rate = ((await decoded(ben)) - before) / ((Date.now() - begun) / 1000);
  console.log(JSON.stringify({ ...result, rate, anna: await resent(anna), ben: await resent(ben) }));
  assert.ok(rate >= 20, `${rate} decoded a second`);
  assert.ok(result.shown >= 15 * seconds, JSON.stringify(result));
  assert.ok(result.silence <= 60, JSON.stringify(result));
});
