// Browsers behind firewalls that let nothing through but TURN: media is relayed by coturn, with a credential that the server
// makes for each of them (shared_secret).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { TurnServer } from './support/turn_server.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const secret = 'shared-by-vmrd-and-coturn';
let turn, vmrd, chromium, anna, ben;

before(async () => {
  turn = await TurnServer.start(secret);
  vmrd = await Vmrd.start(`
[[media.turn]]
url = "${turn.url('udp')}"
secret = "${secret}"
shared_secret = true
[[media.turn]]
url = "${turn.url('tcp')}"
secret = "${secret}"
shared_secret = true
[[rooms]]
id = "meet"
layout = "equal"
`);
  chromium = await launchChromium();
});
after(async () => {
  await chromium?.close();
  await vmrd?.stop();
  await turn?.stop();
});

// What went over each kind of path, in bytes, as the browser counts it; and the kind of the path that is taken now.
const paths = (person) => person.page.evaluate(async () => {
  const stats = await window.probe.peers.at(-1).getStats();
  const kind = (pair) => stats.get(pair.localCandidateId).candidateType;
  const sums = {};
  for (const pair of stats.values()) {
    if (pair.type !== 'candidate-pair' || pair.bytesReceived + pair.bytesSent === 0) continue;
    const sum = (sums[kind(pair)] ??= { received: 0, sent: 0 });
    sum.received += pair.bytesReceived;
    sum.sent += pair.bytesSent;
  }
  const transport = [...stats.values()].find((one) => one.type === 'transport');
  return { sums, selected: kind(stats.get(transport.selectedCandidatePairId)) };
});

test('two browsers that may use the relay alone hear and see each other', async () => {
  anna = await Person.open(chromium, { frequency: 700, colour: colours.red, relay: true });
  ben = await Person.open(chromium, { frequency: 1100, colour: colours.magenta, relay: true });
  for (const [person, name] of [[anna, 'Anna'], [ben, 'Ben']]) {
    await person.join(vmrd.url, 'meet', { name });
    await person.state('in_room');
  }
  await anna.hears([1100], [700]);
  await ben.hears([700], [1100]);
  await anna.sees([colours.magenta], [colours.red]);
  await ben.sees([colours.red], [colours.magenta]);
});

test('their media really is relayed', async () => {
  for (const person of [anna, ben]) {
    let last;
    await until(async () => {
      last = await paths(person);
      return last.sums.relay?.received > 20_000 && last.sums.relay.sent > 20_000;
    }, 10_000, () => JSON.stringify(last));
    assert.equal(last.selected, 'relay');
    assert.deepEqual(Object.keys(last.sums), ['relay']);
  }
});

test('each got a credential of its own that runs out', async () => {
  const names = await Promise.all([anna, ben].map((person) => person.page.evaluate(() =>
    window.probe.peers.at(-1).getConfiguration().iceServers.map((one) => one.username).filter(Boolean))));
  assert.ok(names.every((list) => list.length === 2));
  assert.notEqual(names[0][0], names[1][0]);
  const left = Number(names[0][0].split(':')[0]) - Date.now() / 1000;
  assert.ok(left > 0 && left <= 24 * 3600, `${left} s`);
});

test('who restarts ICE gets other relays, and is heard and seen through them', async () => {
  const before = await anna.path();
  await anna.restartIce();
  let now;
  await until(async () => {
    now = await anna.path();
    return now.ufrag !== before.ufrag && now.localPort !== before.localPort && now.state === 'connected';
  }, 15_000, () => `${JSON.stringify(before)} ${JSON.stringify(now)}`);
  assert.equal(now.kind, 'relay');
  await anna.hears([1100], [700]);
  await ben.hears([700], [1100]);
  await anna.sees([colours.magenta], [colours.red]);
  await ben.sees([colours.red], [colours.magenta]);
});
