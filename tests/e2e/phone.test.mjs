// The telephone over a trunk: number, meeting number, PIN, waiting for the host. Keys: phone-keys.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Phones, carrier, reception } from './support/phones.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';

const phones = new Phones();
let vmrd;

before(async () => {
  vmrd = await phones.start();
});
afterEach(() => phones.hangUp());
after(() => vmrd?.stop());

test('a number leads to its room', async () => {
  const one = await phones.call('Ada', 1000, '+15550100');
  const two = await phones.call('Bob', 2000, '+15550100');
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
});

test('reception: meeting number, PIN, in the room', async () => {
  const host = await phones.host('Hanna', 1000);
  const guest = await phones.call('Gus', 2000, reception);
  await guest.press('2000#');
  await phones.state('Gus', 'pin');
  await guest.press('730164#');
  assert.equal((await phones.state('Gus', 'in_room')).role, 'guest');
  await guest.hears([1000], [2000]);
  await host.hears([2000], [1000]);
});

test('an unknown meeting number is asked for again', async () => {
  const one = await phones.call('Una', 1500, reception);
  await one.press('99999#');
  await one.press('1000#');
  await phones.state('Una', 'in_room', 'meet', 15_000);
});

test('three wrong PINs end the call, and the record says so', async () => {
  const one = await phones.call('Walt', 1000, '+15550120');
  await phones.state('Walt', 'pin');
  for (let i = 0; i < 3; i++) await one.press('111111#');
  await one.ended(20_000);
  const call = await phones.record('Walt');
  assert.equal(call.admitted, false);
  assert.equal(call.end_cause, 'pin_wrong');
  assert.equal(call.pin_attempts, 3);
});

test('a guest waits for the host, hears nothing of the room, and is let in', async () => {
  const guest = await phones.call('Gina', 2000, '+15550120');
  await phones.state('Gina', 'pin');
  await guest.press('730164#');
  assert.equal((await phones.state('Gina', 'lobby')).lobby_reason, 'awaiting_host');
  const host = await phones.call('Hugo', 1000, '+15550120');
  await phones.state('Hugo', 'pin');
  await guest.hears([], [1000]);
  await host.press('482915#');
  await phones.state('Gina', 'in_room');
  await guest.hears([1000]);
  await host.hears([2000]);
});

test('a host locks by *7: the next guest waits and hears nothing of the room until *9 1', async () => {
  const host = await phones.host('Hilda', 1000);
  await host.press('*7');
  await until(async () => (await vmrd.api('GET', '/rooms/board')).body.locked, 5000);
  const guest = await phones.call('Greg', 2000, '+15550120');
  await phones.state('Greg', 'pin');
  await guest.press('730164#');
  assert.equal((await phones.state('Greg', 'lobby')).lobby_reason, 'locked');
  const heard = guest.recording().samples.length;
  await until(() => guest.recording().samples.length > heard + 2 * 8000, 10_000); // two seconds at the closed gate
  // A tone never pauses as a spoken prompt does: a leak would be in every second heard.
  await guest.hears([], [1000]);
  await host.hears([], [2000]);
  await host.press('*91');
  await phones.state('Greg', 'in_room');
  await guest.hears([1000]);
});

test('a host on the phone hears by *9 who waits, and that nobody does after 1', async () => {
  const host = await phones.host('Hedda', 1000);
  await host.press('*7');
  await until(async () => (await vmrd.api('GET', '/rooms/board')).body.locked, 5000);
  const guest = await phones.call('Gottfried', 2000, '+15550120');
  await phones.state('Gottfried', 'pin');
  await guest.press('730164#');
  await phones.state('Gottfried', 'lobby');
  await host.quiet(); // "… is waiting" and what came before it
  let from = host.recording().samples.length;
  await host.press('*9');
  // "Gottfried is waiting in the lobby. Press 1 to admit, 2 to refuse, 3 for the next."
  await host.hearsSpeech(from, 3, 12);
  await host.quiet();
  from = host.recording().samples.length;
  await host.press('1');
  await phones.state('Gottfried', 'in_room');
  await guest.press('*6'); // its tone would cover the voice
  await host.hearsSpeech(from, 1.5, 12);
  await host.quiet();
  from = host.recording().samples.length;
  await host.press('*9');
  await host.hearsSpeech(from, 0.4, 3); // "Nobody is waiting"
});

test('a trunk calls its own numbers only, others call none', async () => {
  const stranger = await SipCaller.start({ address: '127.0.0.3', port: vmrd.sip });
  // The reception, as for any name that does not exist.
  assert.equal((await stranger.invite(vmrd.sipUri('+15550100'))).status, 200);
  assert.equal((await vmrd.participants('meet')).some((one) => one.address === '127.0.0.3'), false);
  await stranger.hangup();
  stranger.close();
  for (const target of ['meet', '+15550111', '+442079460000']) {
    const caller = await SipCaller.start({ address: carrier, port: vmrd.sip });
    assert.equal((await caller.invite(vmrd.sipUri(target))).status, 404, target);
    caller.close();
  }
});
