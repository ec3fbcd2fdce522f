// People come and go, fifty of each kind, while two others talk: nothing grows, nobody who stays hears a gap.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const kRounds = 50;
const kWarmUp = 5; // rounds after which pools and caches have their size
let vmrd, browser, anna, ben;

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[trunks]]
name = "gateway"
addresses = ["127.0.0.9/32"]
[trunks.numbers]
"+49301000" = "meet"
`);
  browser = await launchChromium();
  [anna, ben] = await Promise.all([
    Person.open(browser, { frequency: 900, colour: colours.red }),
    Person.open(browser, { frequency: 1500, colour: colours.blue }),
  ]);
  await anna.join(vmrd.url, 'meet', { name: 'Anna' });
  await ben.join(vmrd.url, 'meet', { name: 'Ben' });
  await anna.hears([1500], [900]);
});

after(async () => {
  await browser?.close();
  await vmrd?.stop();
});

const alone = () => until(async () => (await vmrd.participants('meet')).length === 2, 10_000);

// What the room has sent to this person: packets of 20 ms, and when (ms). A browser that is short of CPU may still play
// gaps; the room is held to sending without one.
const audioSentTo = (person) => person.page.evaluate(async () => {
  const reports = [...(await window.probe.peers.at(-1).getStats()).values()];
  const audio = reports.find((one) => one.type === 'inbound-rtp' && one.kind === 'audio');
  return { packets: audio.packetsReceived, lost: audio.packetsLost, time: audio.timestamp };
});

// Another size of a camera's picture is another pool of pictures while the last one is still shown: two descriptors and some
// MB. What leaks with each who comes is far more than that.
async function churn(round, megabytes) {
  for (let i = 0; i < kWarmUp; i++) await round(i);
  await alone();
  const before = vmrd.usage();
  const first = await audioSentTo(anna);
  for (let i = 0; i < kRounds; i++) await round(i);
  await alone();
  const limit = kRounds / 5;
  const grew = (what) => vmrd.usage()[what] - before[what];
  await until(() => grew('threads') < limit && grew('descriptors') < limit, 20_000,
    () => `${JSON.stringify(before)} → ${JSON.stringify(vmrd.usage())}`);
  assert.ok(grew('memory') < megabytes * 1000, `${grew('memory')} KB more after ${kRounds} rounds`);
  const last = await audioSentTo(anna);
  const due = (last.time - first.time) / 20;
  // Three browsers and a new page at a time are more than two cores can do: what is short there is not the room's.
  assert.ok(last.packets - first.packets > due * 0.9, `${last.packets - first.packets} packets of ${due}`);
  assert.ok(last.lost - first.lost < due * 0.01, `${last.lost - first.lost} packets lost of ${due}`);
  await anna.hears([1500], [900]);
  await ben.hears([900], [1500]);
}

test('fifty SIP calls', () => churn(async (i) => {
  const caller = await SipCaller.start({ user: `room-${i}`, port: vmrd.sip });
  assert.equal((await caller.invite(`sip:meet@127.0.0.1:${vmrd.sip}`)).status, 200);
  await until(() => caller.received > 5);
  await caller.hangup();
  caller.close();
}, 20));

test('fifty telephone calls', () => churn(async (i) => {
  const caller = await SipCaller.start({ user: `+4917${i}`, address: '127.0.0.9', port: vmrd.sip });
  assert.equal((await caller.invite(`sip:+49301000@127.0.0.1:${vmrd.sip}`)).status, 200);
  await until(() => caller.received > 5);
  await caller.hangup();
  caller.close();
}, 20));

test('fifty browsers', () => churn(async (i) => {
  const person = await Person.open(browser, { frequency: 3000, colour: colours.green });
  await person.join(vmrd.url, 'meet', { name: `Visitor ${i}` });
  await person.state('in_room');
  await person.get('leave').click();
  await person.get('confirm-yes').click();
  await person.state('left');
  await person.close();
}, 50));
