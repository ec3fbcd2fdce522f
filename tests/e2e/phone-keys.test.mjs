// Phone keys over a trunk: what each does, seen through the API and heard; by RFC 4733, SIP INFO and as tones.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { join } from 'node:path';
import { Events } from './support/events.mjs';
import { Phones, carrier } from './support/phones.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { writeKeys } from './support/sound.mjs';
import { until } from './support/until.mjs';

const phones = new Phones();
let vmrd;

before(async () => {
  vmrd = await phones.start();
});
afterEach(() => phones.hangUp());
after(() => vmrd?.stop());

test('a host locks and unlocks by *7: who waited because of the lock comes in', async () => {
  const host = await phones.host('Hedda', 1000);
  const locked = (wanted) => until(async () => (await vmrd.api('GET', '/rooms/board')).body.locked === wanted, 5000);
  await host.press('*7');
  await locked(true);
  const guest = await phones.call('Gero', 2000, '+15550120');
  await phones.state('Gero', 'pin');
  await guest.press('730164#');
  assert.equal((await phones.state('Gero', 'lobby')).lobby_reason, 'locked');
  await guest.press('*7'); // who waits may not
  await guest.hears([], [1000]);
  await host.press('*7');
  await locked(false);
  await phones.state('Gero', 'in_room');
  await guest.hears([1000]);
});

test('a host goes through the layouts by *8; a guest may not', async () => {
  const host = await phones.host('Hella', 1000);
  const layout = async () => (await vmrd.api('GET', '/rooms/board')).body.layout;
  assert.equal(await layout(), 'speaker');
  for (const wanted of ['equal', 'single', 'content', 'speaker']) {
    await host.press('*8');
    await until(async () => (await layout()) === wanted, 5000, layout);
  }
  const guest = await phones.call('Grit', 2000, '+15550120');
  await phones.state('Grit', 'pin');
  await guest.press('730164#');
  await phones.state('Grit', 'in_room');
  const events = await Events.open(vmrd, 'board');
  phones.opened.push(events);
  await guest.press('*8');
  await events.announced('not_allowed', (await vmrd.participant('board', 'Grit')).id);
  assert.equal(await layout(), 'speaker');
});

test('who presses *0 hears the keys, nobody else does, in the lobby too', async () => {
  const guest = await phones.call('Gesa', 2000, '+15550120');
  await phones.state('Gesa', 'pin');
  await guest.press('730164#');
  const { id } = await phones.state('Gesa', 'lobby');
  const events = await Events.open(vmrd, 'board');
  phones.opened.push(events);
  await guest.press('*0');
  await events.announced('keys_help', id);
  const host = await phones.host('Hanno', 1000);
  await phones.state('Gesa', 'in_room');
  await host.press('*0');
  await events.announced('keys_help', (await vmrd.participant('board', 'Hanno')).id);
  assert.ok(events.list.filter((event) => event.data.kind === 'keys_help').every((event) => event.data.to !== 'everyone'));
});

test('keys by RFC 4733: hand, mute, all guests, end for all', async () => {
  const host = await phones.host('Helga', 1000);
  const guest = await phones.call('Gerd', 2000, '+15550120');
  await phones.state('Gerd', 'pin');
  await guest.press('730164#');
  await phones.state('Gerd', 'in_room');
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
  assert.equal((await phones.record('Gerd')).end_cause, 'ended_by_host');
});

test('keys by SIP INFO', async () => {
  const one = await SipCaller.start({ user: 'info', address: carrier, port: vmrd.sip });
  one.stop = async () => one.close();
  phones.opened.push(one);
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
  await phones.call('Tina', 0, '+15550120', { file });
  assert.equal((await phones.state('Tina', 'in_room', 'board', 20_000)).role, 'host');
});
