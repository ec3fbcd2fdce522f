// What calls out may cost: more is not called, and neither a reload nor a crash brings new money.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Callee } from './support/callee.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, callee;
before(async () => {
  callee = await Callee.start(['180', '200 sdp']);
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[dial_out]
max_spend_per_day = 0.3
[[dial_out.rules]]
name = "here"
domains = ["127.0.0.1"]
price = 0.12
`);
});
after(async () => {
  await vmrd?.stop();
  await callee?.stop();
});

const dial = () => vmrd.api('POST', '/rooms/meet/dial-out', { address: callee.uri });
const spent = async () => Number((await (await fetch(`${vmrd.url}/metrics`)).text()).match(/^vmr_dial_out_spent (\S+)$/m)[1]);
async function called() {
  const { status, body } = await dial();
  assert.equal(status, 201, JSON.stringify(body));
  await until(async () => (await vmrd.participants('meet')).find((one) => one.id === body.participant)?.state === 'in_room', 10_000,
    () => vmrd.output.slice(-2000));
  return body.participant;
}
const refused = async () => assert.deepEqual((({ status, body }) => [status, body.detail])(await dial()),
  [409, 'what calls out may cost in 24 hours is spent']);

test('two minutes fit, a third does not: not after a reload, nor after a crash', async () => {
  const first = await called();
  assert.equal(await spent(), 0.12);
  assert.equal((await vmrd.api('DELETE', `/rooms/meet/participants/${first}`)).status, 204);
  const record = await until(() => vmrd.calls().find((one) => one.participant === first), 5000);
  checkRecord(record);
  assert.equal(record.cost, 0.12);
  await called();
  await refused();

  const text = readFileSync(vmrd.config, 'utf8');
  writeFileSync(vmrd.config, text.replace('[dial_out]', '[dial_out]\nmax_calls = 7'));
  vmrd.process.kill('SIGHUP');
  await until(() => vmrd.output.includes('configuration reloaded'), 10_000, () => vmrd.output);
  await refused();

  await vmrd.stop('SIGKILL');
  await vmrd.run();
  assert.equal(await spent(), 0.24);
  await refused();
  await until(() => /calls out: 0\.24 of 0\.3 are spent/.test(vmrd.output), 10_000, () => vmrd.output);

  writeFileSync(vmrd.config, text.replace('= 0.3', '= 0.36'));
  vmrd.process.kill('SIGHUP');
  await until(() => vmrd.output.includes('configuration reloaded'), 10_000, () => vmrd.output);
  await called();
  assert.equal(await spent(), 0.36);
});
