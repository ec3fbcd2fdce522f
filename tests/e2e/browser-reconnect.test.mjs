// Connections that break and browsers that die: back within 3 s as the same participant, or gone with a cause; the
// room goes on.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const kBackWithin = 3_000; // milliseconds
let vmrd, chromium, anna;
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
title = "Meet"
layout = "equal"
[[rooms]]
id = "pins"
title = "Pins"
layout = "equal"
host_pin = "271828"
guests_allowed = true
`);
  chromium = await launchChromium();
  anna = await come(chromium, 'Anna', 700, 'red');
});
after(async () => {
  await chromium?.close();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
  vmrd?.calls().forEach(checkRecord);
});

async function come(browser, name, frequency, colour) {
  const person = await Person.open(browser, { frequency, colour: colours[colour] });
  await person.join(vmrd.url, 'meet', { name });
  await person.state('in_room');
  return person;
}

async function comesBack(person, cut, restore = async () => {}) {
  const id = await person.data('participant');
  await cut();
  await person.state('reconnecting', kBackWithin);
  const start = performance.now();
  await restore();
  await person.state('in_room', kBackWithin);
  await person.hears([700], [1100], kBackWithin);
  await anna.hears([1100], [700], kBackWithin);
  const took = performance.now() - start;
  assert.ok(took < kBackWithin, `back after ${took} ms`);
  await person.sees([colours.red], [colours.magenta]);
  await anna.sees([colours.magenta], [colours.red]);
  assert.equal(await person.data('participant'), id);
  assert.equal((await vmrd.participants('meet')).filter((one) => one.name === 'Ben').length, 1);
}

test('a browser whose connections break is back within 3 s as the same participant', async (t) => {
  const ben = await come(chromium, 'Ben', 1100, 'magenta');
  await ben.hears([700], [1100]);
  await anna.sees([colours.magenta], [colours.red]);

  await t.test('the sockets are closed', () => comesBack(ben, () => ben.cut()));

  await t.test('the network goes away and comes back', async () => {
    const devtools = await ben.page.createCDPSession();
    const offline = (is) => devtools.send('Network.emulateNetworkConditions', { offline: is, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await devtools.send('Network.enable');
    await comesBack(ben, async () => {
      await offline(true);
      await anna.hears([], [1100]); // gone for all, and not only for the page
    }, () => offline(false));
  });

  await t.test('the media path dies while the socket lives', () =>
    comesBack(ben, () => ben.page.evaluate(() => window.probe.peers.at(-1).oniceconnectionstatechange
      && Object.defineProperty(window.probe.peers.at(-1), 'iceConnectionState', { value: 'failed' })
      && window.probe.peers.at(-1).oniceconnectionstatechange())));

  await t.test('one record for the whole stay', async () => {
    await ben.leave();
    await until(() => vmrd.calls().some((one) => one.name === 'Ben'), 5_000);
    const records = vmrd.calls().filter((one) => one.name === 'Ben');
    assert.equal(records.length, 1, JSON.stringify(records));
    assert.equal(records[0].end_cause, 'normal');
  });
  await ben.close();
});

test('a killed browser is noticed and ended with a cause; the others go on', async (t) => {
  const doomed = await launchChromium();
  t.after(() => doomed.process().kill('SIGKILL'));
  const carl = await come(doomed, 'Carl', 1700, 'blue');
  const ben = await come(chromium, 'Ben', 1100, 'magenta');
  await anna.hears([1100, 1700], [700]);
  doomed.process().kill('SIGKILL');
  await anna.hears([1100], [700, 1700]);
  await anna.sees([colours.magenta], [colours.blue]);
  const record = await until(() => vmrd.calls().find((one) => one.name === 'Carl'), 40_000, () => 'record of Carl');
  assert.equal(record.end_cause, 'reconnect_timeout');
  assert.ok(record.streams.some((one) => one.kind === 'audio' && one.direction === 'in' && one.packets > 0), JSON.stringify(record.streams));
  assert.equal(await vmrd.participant('meet', 'Carl'), undefined);
  await anna.hears([1100], [700, 1700]);
  await ben.hears([700], [1100, 1700]);
  await ben.close();
});

test('a page that is loaded again is back as the same participant, without a PIN', async () => {
  const hanna = await Person.open(chromium, { frequency: 1100, colour: colours.magenta });
  await hanna.join(vmrd.url, 'pins', { name: 'Hanna', pin: '271828' });
  await hanna.state('in_room');
  const gina = await Person.open(chromium, { frequency: 1700, colour: colours.blue });
  await gina.join(vmrd.url, 'pins', { name: 'Gina', pin: '' });
  await gina.state('in_room');
  await gina.hears([1100], [1700]);
  await hanna.click('hand');
  const id = await hanna.data('participant');
  await until(async () => (await vmrd.participant('pins', 'Hanna')).hand, 5_000);

  await hanna.page.reload();
  await hanna.state('in_room');
  assert.deepEqual([await hanna.data('participant'), await hanna.data('role')], [id, 'host']);
  assert.equal(await hanna.page.evaluate(() => sessionStorage.length), 0);
  assert.ok((await vmrd.participant('pins', 'Hanna')).hand);
  assert.equal((await vmrd.participants('pins')).length, 2);
  await hanna.hears([1700], [1100]);
  await gina.hears([1100], [1700]);
  await gina.sees([colours.magenta], [colours.blue]);

  await hanna.leave();
  const records = await until(() => {
    const all = vmrd.calls().filter((one) => one.name === 'Hanna');
    return all.length && all;
  }, 5_000);
  assert.deepEqual(records.map((one) => one.end_cause), ['normal']);
  await hanna.page.reload();
  await hanna.state('prejoin'); // who has left does not come back by reloading
  await Promise.all([hanna, gina].map((one) => one.close()));
});

test('the microphone follows what a phone key and the API do to it', async () => {
  const mona = await come(chromium, 'Mona', 1100, 'magenta');
  await anna.hears([1100], [700]);
  const id = await mona.data('participant');
  const microphone = (wanted) => until(async () => (await mona.data('microphone')) === wanted, 5_000, () => `microphone ${wanted}`);
  const selfMuted = (wanted) => until(async () => (await vmrd.participant('meet', 'Mona')).self_muted === wanted, 5_000);
  const told = (words) => until(() => mona.page.$$eval('[data-testid=toast]',
    (all, part) => all.some((one) => one.textContent.includes(part)), words), 5_000, () => words);

  await mona.page.evaluate(() => window.probe.sockets[0].send('{"type":"digits","digits":"*6"}'));
  await microphone('off');
  await told('muted by a phone key');
  await anna.hears([], [1100]);

  const bearer = await mona.page.evaluate(() => window.probe.sockets.map((one) => one.bearer).find(Boolean));
  assert.equal((await vmrd.api('PATCH', `/rooms/meet/participants/${id}`, { self_muted: false }, bearer)).status, 204);
  await microphone('on');
  await told('unmuted by a phone key');
  await anna.hears([1100], [700]);

  await mona.click('mute'); // and the server follows the button
  await selfMuted(true);
  await mona.click('mute');
  await selfMuted(false);
  await microphone('on');
  await anna.hears([1100], [700]);

  assert.equal((await vmrd.api('PATCH', `/rooms/meet/participants/${id}`, { muted: true })).status, 204);
  await told('A host has muted you');
  assert.equal(await mona.data('microphone'), 'on'); // two switches: the host's does not turn ours
  await mona.close();
});
