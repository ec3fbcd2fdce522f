// A trunk that proves itself by digest, as a provider's or an office's exchange does.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
numbers = ["1000"]
[[trunks]]
name = "exchange"
username = "office"
secret = "correct horse battery"
digest = "md5"
[trunks.numbers]
"+15550100" = "meet"
"+15550199" = "reception"
`, { sipKeys: 'unknown_to_reception = false' });
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
});
after(() => vmrd?.stop());

async function call(number, { name, user = 'office', password, frequency = 1000 }) {
  const one = await Baresip.start({ name, frequency, account: `auth_user=${user};auth_pass="${password}"` });
  opened.push(one);
  await one.dial(vmrd.sipUri(number));
  return one;
}

test('the right password: the reception, a meeting number, the room', async () => {
  const one = await call('+15550199', { name: 'Ada', password: 'correct horse battery', frequency: 1000 });
  assert.ok(one.established(), one.output);
  await one.press('1000#');
  const here = await until(async () => {
    const found = await vmrd.participant('meet', 'Ada');
    return found?.state === 'in_room' && found;
  }, 10_000);
  assert.equal(here.leg, 'phone');
  const two = await call('+15550100', { name: 'Bob', password: 'correct horse battery', frequency: 2000 });
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
  await one.stop();
  const record = await until(() => vmrd.calls().find((each) => each.name === 'Ada' && each.room === 'meet'), 5000);
  assert.equal(record.trunk, 'exchange');
});

for (const [what, more] of [['a wrong password', { password: 'guess' }], ['another user', { user: 'stranger', password: 'correct horse battery' }]]) {
  test(`${what}: challenged, never answered, and nobody comes in`, async () => {
    const one = await call('+15550199', { name: 'Mallory', ...more });
    assert.ok(!one.established(), one.output);
    assert.match(one.output, /407/);
    assert.deepEqual(await vmrd.participants('meet'), []);
  });
}

test('a number that is not the trunk\'s is not found, password or not', async () => {
  const one = await call('+442079460000', { name: 'Far', password: 'correct horse battery' });
  assert.ok(!one.established());
  assert.match(one.output, /404/);
});
