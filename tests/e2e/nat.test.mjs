// A server behind a one-to-one NAT: who is far gets its outer address, in SIP and in descriptions, who is near its own.
// Runs in a network of its own (run.mjs).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Cloud, far, inner, near, outer } from './support/cloud.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let cloud, vmrd, lite;
let opened = [];

before(async () => {
  cloud = await Cloud.start();
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\n', { address: inner, within: cloud.within,
    sipKeys: `advertised_host = "${outer}"\nice = "full"`, mediaKeys: `advertised_addresses = ["${outer}"]` });
  lite = await Vmrd.start('[[rooms]]\nid = "meet"\n', { address: inner, within: cloud.within,
    mediaKeys: `advertised_addresses = ["${outer}"]\nport_min = 30000\nport_max = 30999` });
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
});
after(async () => {
  await vmrd?.stop();
  await lite?.stop();
  await cloud?.stop();
});

async function call(user, address, server) {
  const one = await SipCaller.start({ user, address, server, port: vmrd.sip });
  opened.push({ stop: async () => one.close() });
  const answer = await one.invite(`sip:meet@${server}:${vmrd.sip}`);
  assert.equal(answer.status, 200, answer.text);
  return Object.assign(one, { answer: answer.text });
}
const heard = (name) => until(() => {
  const record = vmrd.calls().find((one) => one.name === name);
  return record?.streams.find((stream) => stream.kind === 'audio' && stream.direction === 'in');
}, 5000, () => JSON.stringify(vmrd.calls()));

test('who is far is told the outer address and nothing of the inner one; sound flows both ways', async () => {
  const one = await call('ada', far, outer);
  assert.match(one.answer, new RegExp(`^o=.* IN IP4 ${outer}\r$`, 'm'));
  assert.match(one.answer, new RegExp(`^c=IN IP4 ${outer}\r$`, 'm'));
  assert.match(one.answer, new RegExp(`^Contact: <sip:[^>]*@${outer}[:;>]`, 'm'));
  assert.ok(!one.answer.includes(inner), one.answer);
  await until(() => one.received > 50, 10_000, () => `${one.received} packets`);
  assert.equal((await one.hangup()).status, 200);
  assert.ok((await heard('ada')).packets > 20);
});

test('who is near is told the inner one', async () => {
  const one = await call('ben', near, inner);
  assert.match(one.answer, new RegExp(`^c=IN IP4 ${inner}\r$`, 'm'));
  await until(() => one.received > 50, 10_000, () => `${one.received} packets`);
  assert.equal((await one.hangup()).status, 200);
  assert.ok((await heard('ben')).packets > 20);
});

test('from here on nobody is near', () => cloud.leaveNear());

for (const kind of ['full', 'lite']) {
  test(`a far agent of ICE finds us where we are ${kind}`, async () => {
    const server = kind === 'full' ? vmrd : lite;
    const one = await Baresip.start({ name: 'Cleo', address: far, mediaAddress: far, account: 'medianat=ice', modules: ['g711', 'ice'],
      settings: ['rtcp_mux yes'] });
    opened.push(one);
    await one.dial(`sip:meet@${outer}:${server.sip}`);
    assert.ok(one.established(), one.output);
    await server.joined('meet', 'Cleo');
    assert.match(one.output, /ice: audio: connectivity check is complete/);
    await one.receives((bits) => bits > 1000);
    assert.match(one.output, new RegExp(`receiving from ${outer}`));
  });
}
