// The telephone over a trunk: number, meeting number, PIN, waiting for the host, keys.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { join } from 'node:path';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { writeKeys } from './support/sound.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

const carrier = '127.0.0.2';
const reception = '+15550199';
let vmrd;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
numbers = ["1000"]
[[rooms]]
id = "board"
numbers = ["2000"]
guests_allowed = true
host_pin = "482915"
guest_pin = "730164"
[[trunks]]
name = "carrier"
addresses = ["${carrier}"]
[trunks.numbers]
"+15550100" = "meet"
"+15550120" = "board"
"${reception}" = "reception"
`);
});

afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await until(async () => (await vmrd.participants('board')).length === 0 && (await vmrd.participants('meet')).length === 0, 10_000);
});

after(() => vmrd?.stop());

async function phone(name, frequency, number, more = {}) {
  const one = await Baresip.start({ name, frequency, address: carrier, ...more });
  opened.push(one);
  await one.dial(vmrd.sipUri(number));
  assert.ok(one.established(), one.output);
  return one;
}

const state = (name, wanted, room = 'board', milliseconds = 10_000) => {
  let last;
  return until(async () => {
    last = await vmrd.participant(room, name);
    return last?.state === wanted && last;
  }, milliseconds, () => `${JSON.stringify(last)}\n${vmrd.output.slice(-800)}`);
};

const record = (name) => until(() => vmrd.calls().find((call) => call.name === name && call.end_cause !== 'transferred'), 10_000,
  () => JSON.stringify(vmrd.calls().map((call) => [call.name, call.end_cause])));

async function hostIn(name, frequency) {
  const host = await phone(name, frequency, '+15550120');
  await state(name, 'pin');
  await host.press('482915#');
  assert.equal((await state(name, 'in_room')).role, 'host');
  return host;
}

test('a number leads to its room', async () => {
  const one = await phone('Ada', 1000, '+15550100');
  const two = await phone('Bob', 2000, '+15550100');
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
});

test('reception: meeting number, PIN, in the room', async () => {
  const host = await hostIn('Hanna', 1000);
  const guest = await phone('Gus', 2000, reception);
  await guest.press('2000#');
  await state('Gus', 'pin');
  await guest.press('730164#');
  assert.equal((await state('Gus', 'in_room')).role, 'guest');
  await guest.hears([1000], [2000]);
  await host.hears([2000], [1000]);
});

test('an unknown meeting number is asked for again', async () => {
  const one = await phone('Una', 1500, reception);
  await one.press('99999#');
  await one.press('1000#');
  await state('Una', 'in_room', 'meet', 15_000);
});

test('three wrong PINs end the call, and the record says so', async () => {
  const one = await phone('Walt', 1000, '+15550120');
  await state('Walt', 'pin');
  for (let i = 0; i < 3; i++) await one.press('111111#');
  await one.ended(20_000);
  const call = await record('Walt');
  assert.equal(call.admitted, false);
  assert.equal(call.end_cause, 'pin_wrong');
  assert.equal(call.pin_attempts, 3);
});

test('a guest waits for the host, hears nothing of the room, and is let in', async () => {
  const guest = await phone('Gina', 2000, '+15550120');
  await state('Gina', 'pin');
  await guest.press('730164#');
  assert.equal((await state('Gina', 'lobby')).lobby_reason, 'awaiting_host');
  const host = await phone('Hugo', 1000, '+15550120');
  await state('Hugo', 'pin');
  await guest.hears([], [1000]);
  await host.press('482915#');
  await state('Gina', 'in_room');
  await guest.hears([1000]);
  await host.hears([2000]);
});

test('a host locks by *7: the next guest waits and hears nothing of the room until *9 1', async () => {
  const host = await hostIn('Hilda', 1000);
  await host.press('*7');
  await until(async () => (await vmrd.api('GET', '/rooms/board')).body.locked, 5000);
  const guest = await phone('Greg', 2000, '+15550120');
  await state('Greg', 'pin');
  await guest.press('730164#');
  assert.equal((await state('Greg', 'lobby')).lobby_reason, 'locked');
  const heard = guest.recording().samples.length;
  await until(() => guest.recording().samples.length > heard + 2 * 8000, 10_000); // two seconds at the closed gate
  // A tone never pauses as a spoken prompt does: a leak would be in every second heard.
  await guest.hears([], [1000]);
  await host.hears([], [2000]);
  await host.press('*91');
  await state('Greg', 'in_room');
  await guest.hears([1000]);
});

test('keys by RFC 4733: hand, mute, all guests, end for all', async () => {
  const host = await hostIn('Helga', 1000);
  const guest = await phone('Gerd', 2000, '+15550120');
  await state('Gerd', 'pin');
  await guest.press('730164#');
  await state('Gerd', 'in_room');
  await guest.press('*4');
  await until(async () => (await vmrd.participant('board', 'Gerd')).hand, 5000);
  await guest.press('*6');
  await until(async () => (await vmrd.participant('board', 'Gerd')).self_muted, 5000);
  await host.hears([], [2000]);
  await guest.press('*6');
  await host.hears([2000]);
  await host.press('*5');
  await until(async () => (await vmrd.participant('board', 'Gerd')).muted, 5000);
  await host.hears([], [2000]);
  await guest.press('*7'); // a guest may not lock
  await host.press('##');
  await host.press('#');
  await Promise.all([host.ended(), guest.ended()]);
  assert.equal((await record('Gerd')).end_cause, 'ended_by_host');
});

test('keys by SIP INFO', async () => {
  const one = await SipCaller.start({ user: 'info', address: carrier, port: vmrd.sip });
  one.stop = async () => one.close();
  opened.push(one);
  assert.equal((await one.invite(vmrd.sipUri('+15550120'))).status, 200);
  const find = async () => (await vmrd.participants('board')).find((each) => each.leg === 'phone');
  await until(async () => (await find())?.state === 'pin', 5000);
  await one.info('482915#');
  await until(async () => (await find())?.state === 'in_room', 5000);
  await one.info('*6');
  await until(async () => (await find())?.self_muted, 5000);
  assert.equal((await one.hangup()).status, 200);
});

test('keys as tones in the sound', async () => {
  const file = writeKeys(join(vmrd.folder, 'keys.wav'), '482915#', { lead: 2 });
  await phone('Tina', 0, '+15550120', { file });
  assert.equal((await state('Tina', 'in_room', 'board', 20_000)).role, 'host');
});

test('a trunk calls its own numbers only, others call none', async () => {
  const stranger = await SipCaller.start({ address: '127.0.0.3', port: vmrd.sip });
  assert.equal((await stranger.invite(vmrd.sipUri('+15550100'))).status, 404);
  stranger.close();
  for (const target of ['meet', '+15550111', '+442079460000']) {
    const caller = await SipCaller.start({ address: carrier, port: vmrd.sip });
    assert.equal((await caller.invite(vmrd.sipUri(target))).status, 404, target);
    caller.close();
  }
});
