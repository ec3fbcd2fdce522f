// Behind an edge proxy (Kamailio, with rtpengine in the media path): calls in, hold, both ways to hang up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { EdgeProxy } from './support/edge_proxy.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, proxy, one, two;

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\n');
  proxy = await EdgeProxy.start(vmrd.sip);
  one = await Baresip.start({ name: 'Ada', frequency: 1000 });
  two = await Baresip.start({ name: 'Bob', frequency: 2000 });
});

after(async () => {
  await one?.stop();
  await two?.stop();
  await proxy?.stop();
  await vmrd?.stop();
});

test('two callers hear each other through the proxy, and their media come from rtpengine', async () => {
  await one.dial(proxy.uri('meet'));
  await two.dial(proxy.uri('meet'));
  assert.ok(one.established() && two.established(), one.output + proxy.output);
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
  assert.equal((await vmrd.participants('meet')).length, 2);
  for (const caller of [one, two]) assert.match(caller.output, /receiving from 127\.0\.0\.1:34\d{3}\b/);
});

test('hold and resume are re-INVITEs along the route', async () => {
  one.command('hold');
  await two.hears([], [1000]);
  one.command('resume');
  await two.hears([1000], [2000]);
});

test('the proxy closes its idle connection: hold and resume come by others', async () => {
  await until(() => proxy.connections() === 0, 20_000, () => proxy.output);
  one.command('hold');
  await two.hears([], [1000]);
  one.command('resume');
  await two.hears([1000], [2000]);
});

test('one is removed by a connection that we open, the other hangs up: each BYE finds its way', async () => {
  await until(() => proxy.connections() === 0, 20_000, () => proxy.output);
  const { id } = await vmrd.participant('meet', 'Bob');
  await vmrd.api('DELETE', `/rooms/meet/participants/${id}`);
  await until(() => two.output.includes('terminated'), 10_000, () => two.output);
  one.command('hangup');
  const causes = await until(() => {
    const calls = vmrd.calls();
    return calls.length === 2 && calls.map((call) => call.end_cause).sort();
  }, 10_000);
  assert.deepEqual(causes, ['normal', 'removed']);
});
