// Browsers that restart ICE in the midst of a meeting: new paths, and nothing of sound and pictures is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium, launchFirefox, Person, colours } from './support/browser.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, chromium, firefox, anna, fritz;

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\nlayout = "equal"\n');
  [chromium, firefox] = await Promise.all([launchChromium(), launchFirefox()]);
  anna = await Person.open(chromium, { frequency: 700, colour: colours.red });
  fritz = await Person.open(firefox, { frequency: 1100, colour: colours.magenta });
  for (const [person, name] of [[anna, 'Anna'], [fritz, 'Fritz']]) {
    await person.join(vmrd.url, 'meet', { name });
    await person.state('in_room');
  }
  await hearAndSee();
});
after(async () => {
  await Promise.all([chromium?.close(), firefox?.close()]);
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
});

async function hearAndSee() {
  await anna.hears([1100], [700]);
  await fritz.hears([700], [1100]);
  await anna.sees([colours.magenta], [colours.red]);
  await fritz.sees([colours.red], [colours.magenta]);
}

for (const time of ['once', 'twice']) {
  test(`two that restart ${time} go on to hear and see each other`, async () => {
    await anna.page.evaluate(() => window.probe.watch(1100));
    for (const person of [anna, fritz]) {
      const before = await person.path();
      await person.restartIce();
      let now;
      await until(async () => {
        now = await person.path();
        return now.ufrag !== before.ufrag && now.port !== before.port && now.state === 'connected';
      }, 15_000, () => `${JSON.stringify(before)} ${JSON.stringify(now)}`);
      assert.equal(now.fingerprint, before.fingerprint);
    }
    await hearAndSee();
    const seen = await anna.page.evaluate(() => window.probe.steadiness());
    assert.ok(seen.tone < 1000 && seen.picture < 1500 && seen.lost < 5, JSON.stringify(seen));
  });
}

test('nobody joined anew for it', async () => {
  for (const person of [anna, fritz]) {
    assert.equal(await person.data('state'), 'in_room');
    assert.equal(await person.offers(), '1 connections, 3 offers');
  }
});
