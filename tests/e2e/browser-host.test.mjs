// What hosts and guests do in the room: mute, roles, hand, sharing, layout, removal, the end.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const hostPin = '271828';
let vmrd, chromium, host, gina, otto;
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "team"
title = "Team"
host_pin = "${hostPin}"
guests_allowed = true
layout = "equal"
`);
  chromium = await launchChromium();
  host = await come('Hanna', hostPin, 1700, 'blue');
  gina = await come('Gina', '', 700, 'red');
  otto = await come('Otto', '', 1100, 'magenta');
  await host.hears([700, 1100], [1700]);
});
after(async () => {
  await chromium?.close();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
  vmrd?.calls().forEach(checkRecord);
});

async function come(name, pin, frequency, colour) {
  const person = await Person.open(chromium, { frequency, colour: colours[colour] });
  await person.join(vmrd.url, 'team', { name, pin });
  await person.state('in_room');
  return person;
}

const view = async (name) => vmrd.participant('team', name);

test('a host mutes one; only a host lifts it', async () => {
  await host.act('Gina', 'person-mute');
  await host.flag('Gina', 'muted', true);
  await otto.hears([1700], [700, 1100]);
  await gina.click('mute'); // her own switch, twice: the host's mute stays
  await until(async () => (await view('Gina')).self_muted, 5_000);
  await gina.click('mute');
  await until(async () => !(await view('Gina')).self_muted, 5_000);
  await otto.isolated([700], []);
  await host.act('Gina', 'person-mute');
  await otto.hears([700, 1700], [1100]);
});

test('one who mutes oneself is silent until one unmutes', async () => {
  await gina.click('mute');
  await host.flag('Gina', 'selfMuted', true);
  await host.hears([1100], [700, 1700]);
  await gina.click('mute');
  await host.hears([700, 1100], [1700]);
});

test('mute all guests, and lift it', async () => {
  await host.openPeople();
  await host.click('mute-guests');
  await host.hears([], [700, 1100, 1700]);
  await gina.hears([1700], [700, 1100]);
  await host.click('mute-guests');
  await host.hears([700, 1100], [1700]);
});

test('hands are seen by all', async () => {
  await gina.click('hand');
  await Promise.all([host.flag('Gina', 'hand', true), otto.flag('Gina', 'hand', true)]);
  await gina.click('hand');
  await host.flag('Gina', 'hand', false);
});

test('promote and demote; never the last host', async () => {
  await host.act('Gina', 'person-promote');
  await until(async () => (await gina.data('role')) === 'host', 5_000);
  await gina.openPeople();
  await gina.page.waitForSelector('[data-testid=host-controls]');
  await host.act('Gina', 'person-demote');
  await until(async () => (await gina.data('role')) === 'guest', 5_000);
  await gina.page.waitForSelector('[data-testid=host-controls]', { hidden: true });
  const { id } = await view('Hanna');
  const refused = await vmrd.api('PATCH', `/rooms/team/participants/${id}`, { role: 'guest' });
  assert.equal(refused.status, 409, JSON.stringify(refused));
  assert.equal((await view('Hanna')).role, 'host');
});

test('a guest is refused what hosts do', async () => {
  const { id } = await view('Otto');
  const tried = await gina.page.evaluate(async (victim) => {
    const token = window.probe.sockets.map((one) => one.bearer).find(Boolean);
    const call = (method, path, body) => fetch(`/api/v1/rooms/team/${path}`, {
      method, body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    }).then((answer) => answer.status);
    return [await call('POST', 'lock', { locked: true }), await call('POST', 'end'), await call('DELETE', `participants/${victim}`),
      await call('PATCH', `participants/${victim}`, { muted: true })];
  }, id);
  assert.deepEqual(tried, [403, 403, 403, 403]);
});

test('layouts: equal shows the others, single one of them', async () => {
  await host.sees([colours.red, colours.magenta], [colours.blue]);
  await host.openPeople();
  await host.page.locator('[data-testid=layout-single]').click();
  await until(async () => (await vmrd.api('GET', '/rooms/team')).body.layout === 'single', 5_000);
  let last;
  await until(async () => {
    last = await host.page.evaluate((list) => window.probe.colours(list), [colours.red, colours.magenta]);
    return last.some((share) => share > 0.6) && last.some((share) => share < 0.01);
  }, 10_000, () => `shares ${last}`);
  await host.page.locator('[data-testid=layout-speaker]').click();
  await until(async () => (await vmrd.api('GET', '/rooms/team')).body.layout === 'speaker', 5_000);
  await host.sees([colours.red, colours.magenta], [colours.blue]);
  await host.page.locator('[data-testid=layout-equal]').click();
  await host.sees([colours.red, colours.magenta], [colours.blue]);
});

test('a shared screen is content for the others, beside the room', async () => {
  await gina.click('share');
  await host.flag('Gina', 'spotlight', false);
  await until(async () => (await view('Gina')).sharing, 5_000);
  await Promise.all([host, otto].map((one) => one.sees([colours.cyan], [], 'content-video')));
  await host.sees([colours.red, colours.magenta], [colours.blue]);
  await gina.click('share');
  await until(async () => !(await view('Gina')).sharing, 5_000);
  await host.page.waitForSelector('[data-testid=content-video]', { hidden: true });
  for (const one of [host, gina, otto]) assert.equal(await one.offers(), '1 connections, 1 offers');
});

test('a host removes one; the others go on', async () => {
  await host.act('Otto', 'person-remove');
  await otto.left('removed');
  await host.hears([700], [1100, 1700]);
  await gina.sees([colours.blue], [colours.magenta, colours.red]);
  const record = await until(() => vmrd.calls().find((one) => one.name === 'Otto'), 5_000);
  assert.equal(record.end_cause, 'removed');
});

test('a host ends the meeting for all', async () => {
  await host.openPeople();
  await host.click('end-room');
  await host.click('confirm-yes');
  await Promise.all([host, gina].map((one) => one.left('ended_by_host')));
  for (const name of ['Hanna', 'Gina']) {
    const record = await until(() => vmrd.calls().find((one) => one.name === name), 5_000);
    assert.equal(record.end_cause, 'ended_by_host');
  }
});
