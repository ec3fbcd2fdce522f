// A host moves who calls over a trunk to the lobby and back: the exchange is told by a re-INVITE, as the trunk's `hold` says.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const exchanges = { inactive: '127.0.0.2', sendonly: '127.0.0.3' };
let vmrd, speaker;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`[[rooms]]\nid = "meet"\n${Object.entries(exchanges).map(([hold, address]) => `
[[trunks]]
name = "${hold}"
addresses = ["${address}"]
hold = "${hold}"
[trunks.numbers]
"+15550100" = "meet"
`).join('')}`);
  speaker = await Baresip.start({ name: 'Speaker', frequency: 1000 });
  await speaker.dial(vmrd.sipUri('meet'));
  assert.ok(speaker.established(), speaker.output);
});
afterEach(() => {
  opened.forEach((one) => one.close());
  opened = [];
});
after(async () => {
  await speaker?.stop();
  await vmrd?.stop();
});

const reinvites = (caller) => caller.requests.filter((text) => text.startsWith('INVITE'));
const directions = (text) => [...text.matchAll(/^m=(\w+) (\d+)|^a=(sendrecv|sendonly|recvonly|inactive)\r$/gm)].map(([, kind, port, direction]) => direction ?? `${kind} ${port === '0' ? 'off' : 'on'}`);
const act = async (id, action) => assert.equal((await vmrd.api('POST', `/rooms/meet/participants/${id}/${action}`)).status, 204);
// What arrives in a second.
async function second(caller) {
  const [received, loud, begun] = [caller.received, caller.loud, Date.now()];
  await until(() => Date.now() - begun >= 1000, 2000);
  return { received: caller.received - received, loud: caller.loud - loud };
}

for (const [hold, address] of Object.entries(exchanges)) {
  test(`hold = "${hold}": told, ${hold === 'inactive' ? 'sent nothing' : 'sent the lobby\'s sound'}, and taken back`, async () => {
    const caller = await SipCaller.start({ user: hold, address, port: vmrd.sip });
    opened.push(caller);
    assert.equal((await caller.invite(vmrd.sipUri('+15550100'))).status, 200);
    const { id, leg } = await vmrd.joined('meet', hold);
    assert.equal(leg, 'phone');
    await until(() => caller.loud > 10, 10_000, () => `${caller.loud} of ${caller.received} loud`);

    await act(id, 'hold');
    const [told] = await until(() => reinvites(caller).length === 1 && reinvites(caller), 5000, () => caller.requests.join('\n'));
    assert.deepEqual(directions(told), ['audio on', hold]);
    await until(() => caller.requests.some((text) => text.startsWith('ACK')), 5000);
    assert.equal((await vmrd.participant('meet', hold)).lobby_reason, 'held');
    if (hold === 'inactive') {
      // What was under way has come; then nothing, over a second and not only at one moment.
      await until(async () => (await second(caller)).received === 0, 5000, () => `${caller.received} packets`);
      assert.deepEqual(await second(caller), { received: 0, loud: 0 });
    } else {
      await until(async () => (await second(caller)).received > 20, 5000);
    }

    await act(id, 'admit');
    await until(() => reinvites(caller).length === 2, 5000, () => caller.requests.join('\n'));
    assert.deepEqual(directions(reinvites(caller)[1]).filter((each) => each !== 'sendrecv'), ['audio on']);
    await vmrd.joined('meet', hold);
    const before = caller.loud;
    await until(() => caller.loud > before + 20, 10_000, () => `${caller.loud - before} loud`);
    const versions = reinvites(caller).map((text) => Number(text.match(/^o=\S+ \d+ (\d+) /m)[1]));
    assert.ok(versions[1] > versions[0], `${versions}`);
    assert.equal((await caller.hangup()).status, 200);
    const record = await until(() => vmrd.calls().find((call) => call.trunk === hold), 5000);
    assert.equal(record.end_cause, 'normal');
    assert.ok(record.lobby_seconds >= 1, `${record.lobby_seconds} s`);
  });
}
