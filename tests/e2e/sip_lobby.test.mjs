// Room systems (TLS, SRTP mandatory, video) and a telephone through PIN, lobby, lock, promote, mute, and to the lobby and back.
// At a closed gate nothing of the room arrives: no tone, no pixel.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

const blue = [0, 0, 255]; // a stripe of what baresip sends; nothing that vmrd draws has it
const carrier = '127.0.0.2';
const tones = { host: 1000, guest: 2000, phone: 1500 };
let vmrd, host, guest, phone;

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "board"
guests_allowed = true
host_pin = "482915"
guest_pin = "730164"
layout = "equal"
[[trunks]]
name = "carrier"
addresses = ["${carrier}"]
[trunks.numbers]
"+15550120" = "board"
`);
  const secure = { transport: 'tls', encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt`, video: 'vp8' };
  host = await Baresip.start({ name: 'Host', frequency: tones.host, ...secure });
  guest = await Baresip.start({ name: 'Guest', frequency: tones.guest, ...secure });
  phone = await Baresip.start({ name: 'Phone', frequency: tones.phone, address: carrier });
});
after(async () => {
  await Promise.all([host, guest, phone].map((one) => one?.stop()));
  await vmrd?.stop();
});

const person = (name) => vmrd.participant('board', name);
const act = async (method, name, action, body) => {
  const { status } = await vmrd.api(method, `/rooms/board/participants/${(await person(name)).id}${action}`, body);
  assert.equal(status, 204, `${action || method} ${name}`);
};
const state = (name, wanted) => {
  let last;
  return until(async () => {
    last = await person(name);
    return last?.state === wanted && last;
  }, 10_000, () => JSON.stringify(last));
};
async function enter(one, name, uri, pin) {
  await one.dial(uri);
  assert.ok(one.established(), one.output);
  await state(name, 'pin');
  await one.press(`${pin}#`);
}

// Nothing of the room, over two seconds and not only at one moment: no steady tone, and no pixel in the pictures meanwhile.
async function shutOut(one, heard) {
  await one.hears([], heard); // what was under way when the gate closed
  const from = one.recording().samples.length;
  let last = [0];
  await until(async () => {
    if (one !== phone) last = await one.sees([blue]);
    assert.ok(last[0] < 0.005, `${last[0]} of the picture is the room's`);
    return one.recording().samples.length > from + 2 * one.recording().rate;
  }, 10_000);
  for (const hertz of heard) {
    const level = one.steadiest(hertz, from);
    assert.ok(level < -60, `${hertz} Hz at ${level} dB`);
  }
}
const shown = (one) => {
  let last;
  return until(async () => (last = await one.sees([blue]))[0] > 0.03, 10_000, () => `${last}`);
};

test('PIN: a guest waits for the host; both hear and see each other once the host is in', async () => {
  await enter(guest, 'Guest', vmrd.sipsUri('board'), '730164');
  assert.equal((await state('Guest', 'lobby')).lobby_reason, 'awaiting_host');
  await enter(host, 'Host', vmrd.sipsUri('board'), '482915');
  assert.equal((await state('Host', 'in_room')).role, 'host');
  assert.equal((await state('Guest', 'in_room')).role, 'guest');
  await host.hears([tones.guest], [tones.host]);
  await guest.hears([tones.host], [tones.guest]);
  await Promise.all([shown(host), shown(guest)]);
});

test('lock: a telephone waits at the closed gate until it is admitted', async () => {
  assert.equal((await vmrd.api('POST', '/rooms/board/lock', { locked: true })).status, 204);
  await enter(phone, 'Phone', vmrd.sipUri('+15550120'), '730164');
  assert.equal((await state('Phone', 'lobby')).lobby_reason, 'locked');
  await shutOut(phone, [tones.host, tones.guest]);
  await host.hears([tones.guest], [tones.phone]);
  await act('POST', 'Phone', '/admit');
  await state('Phone', 'in_room');
  await phone.hears([tones.host, tones.guest], [tones.phone]);
  await host.hears([tones.guest, tones.phone], [tones.host]);
});

test('mute by the host: heard by nobody, and again', async () => {
  await act('PATCH', 'Guest', '', { muted: true });
  await host.hears([tones.phone], [tones.guest]);
  await act('PATCH', 'Guest', '', { muted: false });
  await host.hears([tones.phone, tones.guest]);
});

test('to the lobby and back, in the same call: no tone and no pixel of the room meanwhile', async () => {
  for (let round = 0; round < 2; round++) {
    await act('POST', 'Guest', '/hold');
    assert.equal((await state('Guest', 'lobby')).lobby_reason, 'held');
    await shutOut(guest, [tones.host, tones.phone]);
    await host.hears([tones.phone], [tones.guest]);
    await act('POST', 'Guest', '/admit');
    await state('Guest', 'in_room');
    await guest.hears([tones.host, tones.phone], [tones.guest]);
    await shown(guest);
  }
  assert.equal(guest.output.split('Call established').length, 2);
  assert.doesNotMatch(guest.output, /re-?INVITE|got re-INVITE|call: update/i);
});

test('promote: the guest may do what a host may', async () => {
  await guest.press('*7');
  assert.equal((await vmrd.api('GET', '/rooms/board')).body.locked, true);
  await act('PATCH', 'Guest', '', { role: 'host' });
  assert.equal((await person('Guest')).role, 'host');
  await guest.press('*7');
  await until(async () => !(await vmrd.api('GET', '/rooms/board')).body.locked, 5000);
});
