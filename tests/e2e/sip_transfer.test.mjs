// Transfers: a host's REFER calls somebody in, a guest's brings in another in place of the guest, the API moves a
// participant away, and a call with Replaces takes a participant's place.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Callee } from './support/callee.mjs';
import { Events } from './support/events.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[rooms]]
id = "open"
guests_allowed = true
host_pin = "482915"
host_absence = "continue"
[dial_out]
refer = "participants"
[[dial_out.rules]]
name = "here"
domains = ["127.0.0.1"]
`);
});
after(() => vmrd?.stop());
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
});

async function call(user, room, options) {
  const one = await SipCaller.start({ user, port: vmrd.sip });
  opened.push({ stop: async () => one.close() });
  const answer = await one.invite(vmrd.sipUri(room), undefined, options);
  return Object.assign(one, { answer });
}
async function callee(...script) {
  const one = await Callee.start(script);
  opened.push(one);
  return one;
}
const inRoom = (room, name) => vmrd.joined(room, name);
const fragments = (one) => one.requests.filter((text) => text.startsWith('NOTIFY')).map((text) => text.split('\r\n\r\n')[1].trim());
const told = (one, line) => until(() => fragments(one).includes(line), 10_000, () => JSON.stringify(fragments(one)));
const record = (user, cause) => until(() => vmrd.calls().find((one) => one.from.includes(user) && one.end_cause === cause), 5000,
  () => JSON.stringify(vmrd.calls().map((one) => [one.from, one.end_cause])));

test('a host asks by REFER for somebody to be called in, and is told how that goes', async () => {
  const bob = await callee('180', '200 sdp');
  const host = await call('host', 'meet');
  await inRoom('meet', 'host');
  assert.match(host.answer.text, /^Allow: .*\bREFER\b/m);
  assert.equal((await host.within('REFER', { headers: [`Refer-To: <${bob.uri}>`] })).status, 202);
  await told(host, 'SIP/2.0 200 OK');
  await inRoom('meet', bob.uri.replace(/^sip:|:\d+$/g, ''));
  assert.equal(fragments(host)[0], 'SIP/2.0 100 Trying');
  assert.match(host.requests.filter((text) => text.startsWith('NOTIFY')).at(-1), /^Subscription-State: terminated;reason=noresource/m);
  const busy = await callee('486');
  assert.equal((await host.within('REFER', { headers: [`Refer-To: <${busy.uri}>`] })).status, 202);
  await told(host, 'SIP/2.0 486 Busy Here');
  // Whom no rule names is not called.
  assert.equal((await host.within('REFER', { headers: ['Refer-To: <sip:bob@elsewhere.example>'] })).status, 603);
  await host.hangup();
});

test('a guest brings another in and goes; at the PIN nobody is called', async () => {
  const bob = await callee('200 sdp');
  const guest = await call('guest', 'open');
  await until(async () => (await vmrd.participant('open', 'guest'))?.state === 'pin');
  const refer = { headers: [`Refer-To: <${bob.uri}>`] };
  assert.equal((await guest.within('REFER', refer)).status, 603);
  const host = await call('host', 'open');
  await until(async () => (await vmrd.participant('open', 'host'))?.state === 'pin');
  await host.info('482915#');
  await inRoom('open', 'host');
  await guest.info('#');
  await inRoom('open', 'guest');
  assert.equal((await guest.within('REFER', refer)).status, 202);
  await told(guest, 'SIP/2.0 200 OK');
  assert.equal((await inRoom('open', bob.uri.replace(/^sip:|:\d+$/g, ''))).role, 'guest');
  await guest.ended();
  await record('guest', 'transferred');
  await host.hangup();
});

test('the API moves a participant to another address', async () => {
  const events = await Events.open(vmrd, 'meet');
  opened.push(events);
  const moved = await call('moved', 'meet');
  const { id } = await inRoom('meet', 'moved');
  const path = `/rooms/meet/participants/${id}/transfer`;
  assert.equal((await vmrd.api('POST', path, { address: 'sip:bob@elsewhere.example' })).status, 403);
  assert.equal((await vmrd.api('POST', path, { address: 'sip:bob@127.0.0.1' })).status, 202);
  assert.equal((await vmrd.api('POST', path, { address: 'sip:bob@127.0.0.1' })).status, 409);
  const refer = await until(() => moved.requests.find((text) => text.startsWith('REFER')), 5000);
  assert.match(refer, /^Refer-To: <sip:bob@127\.0\.0\.1>/m);
  const tell = (line, state) => moved.within('NOTIFY',
    { headers: ['Event: refer', `Subscription-State: ${state}`], type: 'message/sipfrag', body: `${line}\r\n` });
  assert.equal((await tell('SIP/2.0 180 Ringing', 'active;expires=60')).status, 200);
  assert.equal((await tell('SIP/2.0 200 OK', 'terminated;reason=noresource')).status, 200);
  await moved.ended();
  await record('moved', 'transferred');
  const steps = events.list.filter((event) => event.type === 'vmr.participant.transfer').map(({ data }) => [data.participant, data.status, data.done]);
  assert.deepEqual(steps, [[id, 100, false], [id, 180, false], [id, 200, true]]);
});

test('a device that takes no transfers is not asked', async () => {
  const plain = await call('plain', 'meet', { headers: ['Allow: INVITE, ACK, BYE, CANCEL'] });
  const { id } = await inRoom('meet', 'plain');
  const { status, body } = await vmrd.api('POST', `/rooms/meet/participants/${id}/transfer`, { address: 'sip:bob@127.0.0.1' });
  assert.equal(status, 409);
  assert.match(body.detail, /takes no transfers/);
  await plain.hangup();
});

test('a call with Replaces takes the seat, as it was: role, mute, id', async () => {
  const first = await call('first', 'meet');
  const { id } = await inRoom('meet', 'first');
  assert.equal((await vmrd.api('PATCH', `/rooms/meet/participants/${id}`, { muted: true })).status, 204);
  const [, tag] = /;tag=(.*)$/.exec(first.answer.to);
  const second = await call('second', 'meet', { headers: ['Require: replaces', `Replaces: ${first.callId};to-tag=${tag};from-tag=${first.tag}`] });
  assert.equal(second.answer.status, 200);
  await first.ended();
  const seat = await inRoom('meet', 'second');
  assert.equal(seat.id, id);
  assert.equal(seat.muted, true);
  assert.equal((await vmrd.participants('meet')).filter((one) => one.name === 'first').length, 0);
  const heard = second.received;
  await until(() => second.received > heard + 50, 5000);
  const third = await call('third', 'meet', { headers: [`Replaces: ${first.callId};to-tag=${tag};from-tag=${first.tag}`] });
  assert.ok([481, 603].includes(third.answer.status), String(third.answer.status));
  await second.hangup();
});

test('a call of the room that rings is taken by Replaces: the same participant, from another device', async () => {
  const bob = await callee('180');
  const { body } = await vmrd.api('POST', '/rooms/open/dial-out', { address: bob.uri, name: 'Bob', role: 'host' });
  await until(async () => (await vmrd.participant('open', 'Bob'))?.call === 'ringing', 5000, async () => JSON.stringify(await vmrd.participants('open')));
  const [invite] = bob.received;
  const id = /^Call-ID: (.*)$/m.exec(invite)[1].trim();
  const tag = /^From: .*;tag=(.*)$/m.exec(invite)[1].trim();
  const other = await call('cell', 'open', { headers: ['Require: replaces', `Replaces: ${id};to-tag=${tag};from-tag=callee`] });
  assert.equal(other.answer.status, 200);
  const cancel = await until(() => bob.received.find((text) => text.startsWith('CANCEL')), 5000, () => bob.received.join('\n'));
  assert.match(cancel, /^Reason: SIP;cause=200;text="Call completed elsewhere"/m);
  // Past the PIN: the room called. As the host that was asked for.
  const seat = await inRoom('open', 'cell');
  assert.equal(seat.id, body.participant);
  assert.equal(seat.role, 'host');
  const heard = other.received;
  await until(() => other.received > heard + 50, 5000);
  assert.equal(await vmrd.participant('open', 'Bob'), undefined);
  await other.hangup();
  const [kept] = await until(() => {
    const list = vmrd.calls().filter((one) => one.participant === body.participant);
    return list.length > 0 && list;
  }, 5000);
  assert.equal(kept.end_cause, 'normal');
  assert.equal(kept.admitted, true);
});
