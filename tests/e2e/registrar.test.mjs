// Devices that register over TLS: found, called over the connection that they opened, trusted, refused, lost and back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Events } from './support/events.mjs';
import { adminToken, Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

const secret = 'correct-horse';
let vmrd;
let events;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[registrar]
enabled = true
min_expires = 10
keep_alive = 30
phone_book = "https://vmr.test/book.json"
devices_file = "FOLDER/devices.json"
firmware = [{ model = "Acme VC9", minimum = "3.10.1" }, { model = "baresip", minimum = "0.1" }]
[[devices]]
name = "kitchen"
aliases = ["1001"]
display_name = "The kitchen"
secret = "${secret}"
digest = "md5"
`, { sipKeys: 'domain = "vmr.test"' });
  events = await Events.open(vmrd);
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await until(async () => (await vmrd.participants('meet')).length === 0, 15_000, () => vmrd.output.slice(-1000));
});
after(async () => {
  await events?.stop();
  await vmrd?.stop();
});

async function device(name = 'kitchen', more = {}, options = {}) {
  const phone = await Baresip.start({
    name, transport: 'tls', answers: true, trusted: `${vmrd.folder}/sip.crt`, certificate: `${vmrd.folder}/both.pem`,
    registers: { domain: 'vmr.test', proxy: `sip:127.0.0.1:${vmrd.sips};transport=tls`, secret, ...more }, ...options,
  });
  opened.push(phone);
  return phone;
}
const shown = async (name) => (await vmrd.api('GET', `/devices/${name}`)).body;
const state = (name, wanted) => until(async () => {
  const one = await shown(name);
  return one.state === wanted && one;
}, 10_000, async () => JSON.stringify(await shown(name)) + vmrd.output.slice(-500));
const told = (type, name) => until(() => events.list.find((event) => event.type === `vmr.device.${type}` && event.subject === name), 5000,
  () => JSON.stringify(events.list.slice(-5)));

async function callDevice(address) {
  const answer = await vmrd.api('POST', '/rooms/meet/dial-out', { address, name: address });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { participant } = answer.body;
  return until(async () => (await vmrd.participants('meet')).find((one) => one.id === participant && one.state === 'in_room'), 15_000,
    () => vmrd.output.slice(-1000));
}

test('a device registers, is called by alias, calls, and goes', async () => {
  assert.equal((await shown('kitchen')).state, 'new');
  assert.equal(events.list[0].type, 'vmr.snapshot');
  assert.deepEqual(events.list[0].data.devices.map((one) => one.name), ['kitchen']);
  const phone = await device();
  const registered = await state('kitchen', 'registered');
  assert.equal(registered.contacts.length, 1);
  assert.match(registered.contacts[0].signalling, /^TLSv1\.[23] /);
  assert.match(registered.user_agent, /^baresip/);
  assert.equal(registered.contacts[0].outbound, true);
  assert.ok(Date.now() - Date.parse(registered.last_seen) < 10_000);
  assert.equal((await told('registered', 'kitchen')).data.contact, registered.contacts[0].uri);

  const called = await callDevice('1001');
  assert.match(called.crypto.signalling, /^TLSv1\./);
  await vmrd.api('DELETE', `/rooms/meet/participants/${called.id}`);
  await until(() => phone.output.includes('terminated (duration')); // so that dial() does not take it for its own

  await phone.dial('sip:meet@vmr.test');
  assert.ok(phone.established(), phone.output);
  const calling = await until(async () => (await vmrd.participants('meet')).find((one) => one.state === 'in_room'));
  assert.equal(calling.name, 'The kitchen');
  phone.command('hangup'); // baresip says nothing of a call that it ends itself
  await until(async () => (await vmrd.participants('meet')).length === 0, 5_000);

  await phone.stop(); // it takes its registration back
  await state('kitchen', 'expired');
  assert.equal((await told('unregistered', 'kitchen')).data.reason, 'device');
  const unreachable = await vmrd.api('POST', '/rooms/meet/dial-out', { address: 'kitchen@vmr.test' });
  assert.equal(unreachable.status, 201);
  await until(() => vmrd.calls().some((call) => call.end_cause === 'unreachable' && call.end_text.includes('Not registered')));
});

test('it refreshes in time', async () => {
  await device('kitchen', { expires: 10 });
  let before = (await state('kitchen', 'registered')).contacts[0].expires_in;
  assert.ok(before <= 10);
  await until(async () => {
    const { contacts } = await shown('kitchen');
    assert.equal(contacts.length, 1);
    const again = contacts[0].expires_in > before;
    before = contacts[0].expires_in;
    return again;
  }, 15_000);
});

test('cut off, it is back and reached over its new connection', async () => {
  const first = await device();
  await state('kitchen', 'registered');
  await first.kill();
  opened = [];
  await state('kitchen', 'expired');
  assert.equal((await told('expired', 'kitchen')).data.reason, 'connection');
  await device();
  await state('kitchen', 'registered');
  await callDevice('kitchen');
});

test('all contacts of a device ring; one takes the call, the others are told so', async () => {
  const desk = await device('kitchen', {}, { answers: false });
  const wall = await device('kitchen', {}, { answers: false });
  await until(async () => (await shown('kitchen')).contacts.length === 2, 10_000, async () => JSON.stringify(await shown('kitchen')));
  const { body } = await vmrd.api('POST', '/rooms/meet/dial-out', { address: 'kitchen', name: 'kitchen' });
  const called = (state) => until(async () => (await vmrd.participants('meet')).find((one) => one.id === body.participant && state(one)), 15_000,
    () => vmrd.output.slice(-1000));
  for (const phone of [desk, wall]) await until(() => /Incoming call from/.test(phone.output), 10_000, () => phone.output);
  await called((one) => one.call === 'ringing');
  wall.command('accept');
  const up = await called((one) => one.state === 'in_room');
  assert.match(up.crypto.signalling, /^TLSv1\./);
  await until(() => wall.established());
  await desk.ended();
  assert.equal(desk.established(), false);
  assert.equal((await vmrd.participants('meet')).length, 1);
  await vmrd.api('DELETE', `/rooms/meet/participants/${up.id}`);
  await wall.ended();
});

test('the address of one instance (GRUU) rings there alone', async () => {
  const desk = await device('kitchen', {}, { answers: false });
  const wall = await device('kitchen', {}, { answers: false });
  await until(async () => (await shown('kitchen')).contacts.length === 2, 10_000, async () => JSON.stringify(await shown('kitchen')));
  const instance = readFileSync(join(wall.folder, 'uuid'), 'utf8').trim();
  await vmrd.api('POST', '/rooms/meet/dial-out', { address: `sip:kitchen@vmr.test;gr=urn:uuid:${instance}`, name: 'wall' });
  await until(() => /Incoming call from/.test(wall.output), 10_000, () => wall.output);
  wall.command('accept');
  await until(async () => (await vmrd.participant('meet', 'wall'))?.state === 'in_room', 10_000, () => vmrd.output.slice(-1000));
  assert.equal(/Incoming call/.test(desk.output), false);
  wall.command('hangup');
  await until(async () => (await vmrd.participants('meet')).length === 0, 5000);
  await vmrd.api('POST', '/rooms/meet/dial-out', { address: 'sip:kitchen@vmr.test;gr=urn:uuid:none', name: 'none' });
  await until(() => vmrd.calls().some((one) => one.name === 'none' && one.end_cause === 'unreachable'), 5000, () => JSON.stringify(vmrd.calls().at(-1)));
});

test('a busy contact does not end the call', async () => {
  const desk = await device('kitchen', {}, { answers: false });
  const wall = await device('kitchen', {}, { answers: false });
  await until(async () => (await shown('kitchen')).contacts.length === 2, 10_000, async () => JSON.stringify(await shown('kitchen')));
  await vmrd.api('POST', '/rooms/meet/dial-out', { address: 'kitchen', name: 'kitchen' });
  for (const phone of [desk, wall]) await until(() => /Incoming call from/.test(phone.output), 10_000, () => phone.output);
  desk.command('hangup'); // 486; it says nothing of a call that it ends itself
  wall.command('accept');
  await until(() => wall.established(), 10_000, () => wall.output);
  await until(async () => (await vmrd.participants('meet')).some((one) => one.state === 'in_room'));
  wall.command('hangup');
});

test('wrong secrets, unknown names and old firmware are refused', async () => {
  const guess = await device('kitchen', { secret: 'a-guess' });
  await until(() => guess.output.includes('401'), 10_000, () => guess.output);
  const nobody = await device('nobody', { secret: 'a-guess' });
  await until(() => nobody.output.includes('401'), 10_000, () => nobody.output);
  assert.notEqual((await shown('kitchen')).state, 'registered');
});

test('devices are made, kept, fetch their settings, and go', async () => {
  const basic = (name, password) => fetch(`${vmrd.url}/api/v1/devices/${name}/settings`,
    { headers: { authorization: `Basic ${Buffer.from(`${name === 'kitchen' ? 'kitchen' : 'hall'}:${password}`).toString('base64')}` } });
  assert.equal((await vmrd.api('PUT', '/devices/hall', { display_name: 'Hall' })).status, 422);
  const made = await vmrd.api('PUT', '/devices/hall', { display_name: 'Hall', secret, digest: 'md5' });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(JSON.stringify(made.body).includes(secret), false);
  assert.equal((await vmrd.api('PUT', '/devices/kitchen', { secret })).status, 409);
  assert.equal((await vmrd.api('PUT', '/devices/attic', { secret, aliases: ['1001'] })).status, 409);
  await device('hall');
  await state('hall', 'registered');

  const settings = await basic('hall', secret);
  assert.equal(settings.status, 200);
  assert.deepEqual(await settings.json(), {
    name: 'hall', display_name: 'Hall', sip_uri: 'sip:hall@vmr.test', proxy: `sip:vmr.test:${vmrd.sips};transport=tls`,
    phone_book: 'https://vmr.test/book.json', keep_alive: 30, expires: 3600,
  });
  const wrong = await basic('hall', 'a-guess');
  assert.equal(wrong.status, 401);
  assert.match(wrong.headers.get('www-authenticate'), /Basic/);
  const others = await fetch(`${vmrd.url}/api/v1/devices/kitchen/settings`,
    { headers: { authorization: `Basic ${Buffer.from(`hall:${secret}`).toString('base64')}` } });
  assert.equal(others.status, 403);

  // Kept over a restart; the other one is of the configuration.
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await events.stop();
  await vmrd.stop();
  await vmrd.run();
  events = await Events.open(vmrd);
  assert.equal((await basic('hall', secret)).status, 200);
  assert.equal((await vmrd.api('DELETE', '/devices/kitchen')).status, 409);
  assert.equal((await vmrd.api('DELETE', '/devices/hall')).status, 204);
  assert.equal((await vmrd.api('GET', '/devices/hall')).status, 404);
  assert.equal((await vmrd.api('GET', '/devices', undefined, adminToken)).body.devices.length, 1);
});
