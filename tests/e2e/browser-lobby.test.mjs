// PIN, lobby and lock: who waits gets nothing of the room, and the room nothing of them.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const hostPin = '271828';
const guestPin = '314159';
let vmrd, chromium;
before(async () => {
  const pins = `host_pin = "${hostPin}"\nguest_pin = "${guestPin}"\nguests_allowed = true\nlayout = "equal"`;
  vmrd = await Vmrd.start(['wait', 'lock', 'held', 'wrong'].map((id) => `[[rooms]]\nid = "${id}"\ntitle = "${id}"\n${pins}\n`).join('')
    + '[[rooms]]\nid = "full"\ntitle = "Full"\nmax_participants = 1\n');
  chromium = await launchChromium();
});
after(async () => {
  await chromium?.close();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
  vmrd?.calls().forEach(checkRecord);
  assert.ok(!vmrd?.output.includes(hostPin) && !vmrd?.output.includes(guestPin), 'a PIN in the log');
});

async function come(room, name, pin, frequency, colour) {
  const person = await Person.open(chromium, { frequency, colour: colours[colour] });
  await person.join(vmrd.url, room, { name, pin });
  return person;
}

const waiting = async (person, reason) => {
  await person.state('lobby');
  assert.equal(await person.page.$eval('[data-testid=lobby]', (lobby) => lobby.dataset.reason), reason);
};
const recordOf = (name) => until(() => vmrd.calls().find((one) => one.name === name), 5_000, () => `record of ${name}`);

test('a wrong PIN is refused, the third ends the call, and the record counts them', async () => {
  const person = await come('wrong', 'Walter', '000000', 700, 'red');
  await person.state('pin');
  for (const left of [2, 1]) {
    await until(async () => (await person.page.$eval('[data-testid=pin-note]', (note) => note.textContent)).includes(String(left)),
      8_000, () => `${left} attempts left`);
    await person.get('pin-input').fill('111111');
    await person.click('pin-submit');
  }
  await person.left('pin_wrong');
  const record = await recordOf('Walter');
  assert.deepEqual([record.admitted, record.pin_attempts, record.end_cause, record.role], [false, 3, 'pin_wrong', 'none']);
  await person.close();
});

test('guests wait for the host, apart from each other, and enter with the host', async () => {
  const guest = await come('wait', 'Gina', guestPin, 700, 'red');
  await waiting(guest, 'awaiting_host');
  const other = await come('wait', 'Gustav', guestPin, 1100, 'magenta');
  await waiting(other, 'awaiting_host');
  await guest.isolated([1100], [colours.magenta]);
  await other.isolated([700], [colours.red]);

  const host = await come('wait', 'Hanna', hostPin, 1700, 'blue');
  await host.state('in_room');
  assert.equal(await host.data('role'), 'host');
  for (const person of [guest, other]) {
    await person.state('in_room');
    assert.equal(await person.data('role'), 'guest');
  }
  await host.hears([700, 1100], [1700]);
  await guest.hears([1100, 1700], [700]);
  await other.hears([700, 1700], [1100]);
  await guest.sees([colours.magenta, colours.blue], [colours.red]);
  for (const person of [guest, other, host]) {
    assert.equal(await person.offers(), '1 connections, 1 offers');
    await person.leave();
  }
  const record = await recordOf('Gina');
  assert.ok(record.admitted && record.lobby_seconds > 1, JSON.stringify(record));
  await Promise.all([guest, other, host].map((one) => one.close()));
});

test('while the room is locked newcomers wait: one is admitted, one refused', async () => {
  const host = await come('lock', 'Hanna', hostPin, 1700, 'blue');
  await host.state('in_room');
  const guest = await come('lock', 'Gina', guestPin, 700, 'red');
  await guest.state('in_room');
  await host.openPeople();
  await host.click('lock');
  await until(async () => (await vmrd.api('GET', '/rooms/lock')).body.locked, 5_000);

  const late = await come('lock', 'Lars', guestPin, 1100, 'magenta');
  await waiting(late, 'locked');
  await guest.hears([1700]);
  await late.isolated([700, 1700], [colours.red, colours.blue]);
  await Promise.all([host.isolated([1100], [colours.magenta]), guest.isolated([1100], [colours.magenta])]);
  await host.answerWaiting('Lars', 'person-admit');
  await late.state('in_room');
  await late.hears([700, 1700], [1100]);
  await guest.hears([1100, 1700], [700]);
  await guest.sees([colours.magenta, colours.blue], [colours.red]);

  const unwanted = await come('lock', 'Uwe', guestPin, 2300, 'cyan');
  await waiting(unwanted, 'locked');
  await host.answerWaiting('Uwe', 'person-refuse');
  await unwanted.left('refused');
  assert.equal((await recordOf('Uwe')).end_cause, 'refused');
  const second = await come('lock', 'Hermine', hostPin, 2300, 'cyan'); // a host's PIN opens a locked room
  await second.state('in_room');
  await Promise.all([host, guest, late, unwanted, second].map((one) => one.close()));
});

test('to the lobby and back: closed within the gate, without a new offer', async () => {
  const host = await come('held', 'Hanna', hostPin, 1700, 'blue');
  await host.state('in_room');
  const guest = await come('held', 'Gina', guestPin, 700, 'red');
  await guest.state('in_room');
  const other = await come('held', 'Otto', guestPin, 1100, 'magenta');
  await other.state('in_room');
  await guest.hears([1100, 1700], [700]);
  await guest.sees([colours.magenta, colours.blue]);
  for (let round = 0; round < 2; round++) {
    await host.act('Gina', 'person-hold');
    await waiting(guest, 'held');
    await guest.isolated([1100, 1700], [colours.magenta, colours.blue]);
    await host.isolated([700], [colours.red]);
    await other.isolated([700], [colours.red]);
    await host.hears([1100], [1700]);
    await host.answerWaiting('Gina', 'person-admit');
    await guest.state('in_room');
    await guest.hears([1100, 1700], [700]);
    await guest.sees([colours.magenta, colours.blue], [colours.red]);
    await host.hears([700, 1100], [1700]);
    await host.sees([colours.red, colours.magenta], [colours.blue]);
  }
  assert.equal(await guest.offers(), '1 connections, 1 offers');
  await Promise.all([host, guest, other].map((one) => one.close()));
});

test('who finds the room full is told so, and whoever is in it notices nothing', async () => {
  const anna = await come('full', 'Anna', undefined, 700, 'red');
  await anna.state('in_room');
  for (let i = 0; i < 3; ++i) {
    const late = await come('full', `Late ${i}`, undefined, 1100, 'magenta');
    await late.left('room_full');
    await late.close();
    assert.equal((await recordOf(`Late ${i}`)).end_cause, 'room_full');
  }
  assert.equal(await anna.data('state'), 'in_room');
  await anna.close();
});
