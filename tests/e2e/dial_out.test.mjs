// Calls that a room places: to real clients over UDP, TCP and TLS, and to those who do not take them.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { Events } from './support/events.mjs';
import { checkRecord } from './support/records.mjs';
import { Callee } from './support/callee.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[rooms]]
id = "safe"
encryption = "required"
[[rooms]]
id = "board"
host_pin = "482913"
guests_allowed = true
[dial_out]
ring_timeout = 10
ca = "FOLDER/sip.crt"
max_calls_per_room = 3
name_servers = ["127.0.0.1:9"]
[[dial_out.rules]]
name = "here"
domains = ["127.0.0.1", "nowhere.example"]
[[dial_out.rules]]
name = "numbers"
prefixes = ["+49"]
gateway = "sip:127.0.0.2:5999"
caller = "+4930555"
username = "office"
secret = "correct horse"
`);
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await vmrd.emptied('meet', 'safe', 'board');
});
after(() => vmrd?.stop());

const keep = (one) => (opened.push(one), one);
const phone = async (options) => keep(await Baresip.start({ answers: true, ...options }));

async function dial(room, address, more = {}) {
  const answer = await vmrd.api('POST', `/rooms/${room}/dial-out`, { address, ...more });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.participant;
}
const find = async (room, id) => (await vmrd.participants(room)).find((one) => one.id === id);
const joined = (room, id) => until(async () => {
  const found = await find(room, id);
  return found?.state === 'in_room' && found;
}, 10_000, () => vmrd.output.slice(-2000));
const left = (events, id) => until(() => events.list.find((event) => event.type === 'vmr.participant.left' && event.data.id === id)?.data.ended,
  30_000, () => JSON.stringify(events.list));
const record = (id) => until(() => vmrd.calls().find((each) => each.participant === id), 5000);

for (const transport of ['udp', 'tcp', 'tls']) {
  test(`${transport}: dialled, hears the room and is heard, hangs up`, async () => {
    const room = transport === 'tls' ? 'safe' : 'meet';
    const secure = transport === 'tls' ? { certificate: `${vmrd.folder}/both.pem`, encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt` } : {};
    const caller = keep(await Baresip.start({ name: 'Ada', frequency: 1000, transport, ...secure }));
    await caller.dial(transport === 'tls' ? vmrd.sipsUri(room) : vmrd.sipUri(room));
    assert.ok(caller.established(), caller.output);
    const callee = await phone({ name: 'Bob', frequency: 2000, transport, ...secure });
    const id = await dial(room, callee.uri(), { name: 'Bob' });
    const here = await joined(room, id);
    assert.equal(here.name, 'Bob');
    assert.equal(here.crypto.encrypted, transport === 'tls');
    await caller.hears([2000], [1000]);
    await callee.hears([1000], [2000]);
    callee.command('hangup');
    const made = await record(id);
    checkRecord(made);
    assert.equal(made.direction, 'out');
    assert.equal(made.end_cause, 'normal');
    assert.equal(made.from, room);
    assert.ok(made.admitted);
  });
}

test('rings in the roster, comes in without PIN as the role asked for, and we hang up', async () => {
  const events = keep(await Events.open(vmrd, 'board'));
  const callee = await phone({ name: 'Bob', answers: false });
  const id = await dial('board', callee.uri(), { role: 'host' });
  await until(async () => (await find('board', id))?.call === 'ringing', 5000, () => JSON.stringify(events.list));
  callee.command('accept');
  assert.equal((await joined('board', id)).role, 'host');
  assert.equal((await vmrd.api('DELETE', `/rooms/board/participants/${id}`)).status, 204);
  await callee.ended();
  assert.equal((await left(events, id)).cause, 'removed');
});

test('removing who rings takes the call back', async () => {
  const callee = await phone({ name: 'Bob', answers: false });
  const id = await dial('meet', callee.uri());
  await until(async () => (await find('meet', id))?.call === 'ringing');
  assert.equal((await vmrd.api('DELETE', `/rooms/meet/participants/${id}`)).status, 204);
  await until(() => /session closed|terminated|cancel/i.test(callee.output), 5000, () => callee.output);
  assert.equal((await record(id)).end_cause, 'removed');
});

test('nobody answers', async () => {
  const events = keep(await Events.open(vmrd, 'meet'));
  const callee = await phone({ name: 'Bob', answers: false });
  const id = await dial('meet', callee.uri());
  assert.deepEqual(await left(events, id), { cause: 'no_answer', text: 'No answer; Q.850 19 no answer from user', sip_status: 0, q850: 19 });
  assert.equal((await record(id)).end_cause, 'no_answer');
});

for (const [what, script, ended] of [
  ['busy', ['180', '486'], { cause: 'busy', text: '486 Busy Here; Q.850 17 user busy', sip_status: 486, q850: 17 }],
  ['not there', ['404'], { cause: 'not_found', text: '404 Not Found; Q.850 1 unallocated number', sip_status: 404, q850: 1 }],
  ['elsewhere: a redirection is not followed', ['302'],
    { cause: 'redirected', text: '302 Moved; Q.850 23 redirection to new destination', sip_status: 302, q850: 23 }],
]) {
  test(what, async () => {
    const events = keep(await Events.open(vmrd, 'meet'));
    const callee = keep(await Callee.start(script));
    const id = await dial('meet', callee.uri);
    assert.deepEqual(await left(events, id), ended);
    const made = await record(id);
    checkRecord(made);
    assert.equal(made.end_cause, ended.cause);
    assert.equal(made.end_text, ended.text);
  });
}

test('early media is told, and the same answer in the 200 brings them in', async () => {
  const events = keep(await Events.open(vmrd, 'meet'));
  const callee = keep(await Callee.start(['183 sdp', '200 sdp']));
  const id = await dial('meet', callee.uri);
  await until(() => events.list.find((event) => event.type === 'vmr.participant.updated' && event.data.call === 'early_media'), 5000,
    () => JSON.stringify(events.list));
  await joined('meet', id);
  assert.equal((await vmrd.api('DELETE', `/rooms/meet/participants/${id}`)).status, 204);
  await left(events, id);
});

test('a number goes to its gateway, with the credentials that it asks for', async () => {
  const events = keep(await Events.open(vmrd, 'meet'));
  const gateway = keep(await Callee.start(['407', '603'], { address: '127.0.0.2', port: 5999 }));
  const id = await dial('meet', 'tel:+49 30 123');
  assert.equal((await left(events, id)).cause, 'declined');
  const invites = gateway.received.filter((text) => text.startsWith('INVITE '));
  assert.match(invites[0], /^INVITE sip:\+4930123@127\.0\.0\.2:5999;user=phone SIP/);
  assert.match(invites[0], /^From: .*<sip:\+4930555@/m);
  assert.match(invites[1], /^Proxy-Authorization: Digest username="office", realm="gateway", .*response="[0-9a-f]{32}"/m);
  const made = await record(id);
  assert.equal(made.leg, 'phone');
  assert.equal(made.trunk, 'numbers');
});

test('an unknown host', async () => {
  const events = keep(await Events.open(vmrd, 'meet'));
  const id = await dial('meet', 'sip:bob@nowhere.example');
  assert.equal((await left(events, id)).cause, 'unreachable');
});

test('nobody is called whom no rule names, nor by a guest, nor too many at once', async () => {
  for (const address of ['sip:bob@elsewhere.example', '+33123', 'sip:+33123@127.0.0.2', 'mailto:a@b', 'sip:bob@127.0.0.3']) {
    assert.equal((await vmrd.api('POST', '/rooms/meet/dial-out', { address })).status, 403, address);
  }
  assert.equal((await vmrd.api('POST', '/rooms/none/dial-out', { address: 'sip:bob@127.0.0.1' })).status, 404);
  const callee = keep(await Callee.start(['180']));
  const ids = [await dial('meet', callee.uri), await dial('meet', callee.uri), await dial('meet', callee.uri)];
  assert.equal((await vmrd.api('POST', '/rooms/meet/dial-out', { address: callee.uri })).status, 409);
  for (const id of ids) await vmrd.api('DELETE', `/rooms/meet/participants/${id}`);
});

test('a host calls somebody in from the page, sees it ring, takes it back, and hears who did not want to', async () => {
  const browser = await launchChromium();
  opened.push({ stop: () => browser.close() });
  const anna = await Person.open(browser, { frequency: 1000, colour: colours.magenta });
  await anna.join(vmrd.url, 'board', { name: 'Anna', pin: '482913' });
  await anna.state('in_room');
  const callee = await phone({ name: 'Bob', frequency: 2000, answers: false });
  const call = async (address) => {
    await anna.openPeople();
    await anna.get('call-address').fill(address);
    await anna.click('call');
  };
  const ringing = '[data-testid=called-person][data-call=ringing]';
  await call(callee.uri());
  await anna.page.waitForSelector(ringing);
  await anna.click('call-take-back');
  await anna.page.waitForSelector(ringing, { hidden: true });
  await until(() => /session closed|terminated|cancel/i.test(callee.output), 5000, () => callee.output);

  await call('sip:bob@not.allowed.example');
  await anna.page.waitForSelector('[data-testid=toast]');

  await call(callee.uri());
  await anna.page.waitForSelector(ringing);
  callee.command('accept');
  await anna.hears([2000], [1000]);
  await anna.leave();
});
