// A provider where we register (Kamailio, with digest): up, calls out and in, down when it stops, up when it is back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Events } from './support/events.mjs';
import { account, domain, numbers, password, Provider } from './support/provider.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, provider, callee, caller, events;

before(async () => {
  callee = await Baresip.start({ name: 'Bob', frequency: 2000, answers: true });
  caller = await Baresip.start({ name: 'Ada', frequency: 1000 });
  provider = await Provider.start(callee.uri());
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[rooms]]
id = "board"
[[trunks]]
name = "provider"
profile = "sip-provider"
proxies = ["sip:127.0.0.1:${provider.port};transport=tcp"]
domain = "${domain}"
account = "${account}"
password = "${password}"
options_interval = 5
options_failures = 1
[trunks.numbers]
"${numbers[0]}" = "meet"
"${numbers[1]}" = "board"
[[dial_out.rules]]
name = "numbers"
prefixes = ["+49"]
trunk = "provider"
caller = "${numbers[0]}"
`);
  events = await Events.open(vmrd);
});
after(async () => {
  await events?.stop();
  await Promise.all([caller, callee].map((one) => one?.stop()));
  await vmrd?.stop();
  await provider?.stop();
});

const metrics = async () => (await fetch(`${vmrd.url}/metrics`)).text();
const shows = (name, value) => until(async () => new RegExp(`^vmr_trunk_${name}\\{trunk="provider",[^}]*\\} ${value}$`, 'm').test(await metrics()), 20_000,
  async () => (await metrics()).match(/^vmr_trunk.*$/gm)?.join('\n') + provider.output + vmrd.output);
const told = (type, since = 0) => until(() => events.list.slice(since).find((event) => event.type === type && event.data.trunk === 'provider'), 20_000,
  () => JSON.stringify(events.list) + vmrd.output);

async function callOut() {
  const answer = await vmrd.api('POST', '/rooms/meet/dial-out', { address: '+4940777', name: 'Bob' });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.participant;
}
const record = (id) => until(() => vmrd.calls().find((each) => each.participant === id), 40_000, () => provider.output + vmrd.output);
async function callIn(number = numbers[0]) {
  await caller.dial(`sip:${number}@127.0.0.1:${provider.port}`);
  assert.ok(caller.established(), caller.output + provider.output + vmrd.output);
}

test('registered by digest: the trunk is up', async () => {
  await shows('registered', 1);
  await shows('up', 1);
  assert.ok(!provider.output.includes(password));
});

test('a call out is challenged, reaches who is behind the provider; a call in reaches the room', async () => {
  const id = await callOut();
  await vmrd.joined('meet', 'Bob');
  await callIn();
  assert.equal((await vmrd.joined('meet', 'Ada')).leg, 'phone');
  await caller.hears([2000], [1000]);
  await callee.hears([1000], [2000]);
  caller.command('hangup');
  callee.command('hangup');
  const out = await record(id);
  checkRecord(out);
  assert.equal(out.end_cause, 'normal');
  assert.equal(out.trunk, 'provider');
  const into = await until(() => vmrd.calls().find((each) => each.name === 'Ada'), 5000);
  assert.equal(into.trunk, 'provider');
});

test('a call to another number of the same account reaches the room of that number', async () => {
  await callIn(numbers[1]);
  assert.equal((await vmrd.joined('board', 'Ada')).leg, 'phone');
  caller.command('hangup');
  const into = await until(() => vmrd.calls().find((each) => each.room === 'board'), 5000, () => provider.output + vmrd.output);
  assert.equal(into.trunk, 'provider');
});

test('the provider stops: an event, and a call out says that nobody is there; back: up, and calls go again', async () => {
  await provider.stop();
  const down = await told('vmr.trunk.down');
  assert.equal(down.data.why, 'no connection');
  await shows('up', 0);
  const lost = await record(await callOut());
  checkRecord(lost);
  assert.equal(lost.end_cause, 'unreachable', JSON.stringify(lost));
  assert.equal(lost.end_text, 'no connection; Q.850 3 no route to destination');

  const since = events.list.length;
  await provider.run();
  await told('vmr.trunk.up', since);
  await shows('registered', 1);
  callee.output = '';
  const id = await callOut();
  await vmrd.joined('meet', 'Bob');
  await callIn();
  const ada = await vmrd.joined('meet', 'Ada');
  await callee.hears([1000], [2000]);
  // Both ways each BYE is challenged.
  for (const one of [id, ada.id]) {
    assert.equal((await vmrd.api('DELETE', `/rooms/meet/participants/${one}`)).status, 204);
    assert.equal((await record(one)).end_cause, 'removed');
  }
  await Promise.all([callee.ended(), caller.ended()]);
});
