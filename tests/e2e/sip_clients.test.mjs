// linphone as a second SIP client; and many calls that come and go while two talk.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { Linphone, orange } from './support/linphone.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];
const secure = () => ({ transport: 'tls', encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt` });

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[rooms]]
id = "safe"
encryption = "required"
[[trunks]]
name = "carrier"
addresses = ["127.0.0.2"]
[trunks.numbers]
"+15550100" = "meet"
"+15550199" = "reception"
`);
});

afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
});

after(() => vmrd?.stop());

const opening = (one) => {
  opened.push(one);
  return one;
};

test('linphone over TLS with SRTP mandatory: AES-256, sound both ways, its picture at the others', async () => {
  const other = opening(await Baresip.start({ name: 'Bob', frequency: 2000, video: 'vp8', ...secure() }));
  await other.dial(vmrd.sipsUri('safe'));
  const lin = opening(await Linphone.start({ name: 'Lin', frequency: 1000, video: true, trusted: `${vmrd.folder}/sip.crt` }));
  await lin.dial(vmrd.sipsUri('safe').replace('127.0.0.1', 'localhost')); // it wants a name, not an address, in certificates
  assert.ok(lin.established(), lin.output);
  await other.hears([1000], [2000]);
  await lin.hears([2000], [1000]);
  const { crypto } = (await vmrd.participants('safe')).find((one) => one.user_agent.startsWith('Linphone'));
  assert.match(crypto.media, /^SDES AES_256_CM_HMAC_SHA1_80/);
  assert.equal(crypto.encrypted, true);
  await until(async () => (await other.sees([orange]))[0] > 0.02, 15_000);
  await lin.stop();
  const record = await until(() => vmrd.calls().find((call) => call.user_agent.startsWith('Linphone')), 5000);
  for (const direction of ['in', 'out']) {
    const stream = record.streams.find((one) => one.kind === 'video' && one.direction === direction);
    assert.equal(stream.codec, 'vp8');
    assert.ok(stream.packets > 0, JSON.stringify(stream));
  }
});

test('50 calls of each kind come and go: nothing grows, and the two who talk hear each other throughout', async () => {
  const one = opening(await Baresip.start({ name: 'Ada', frequency: 1000 }));
  const two = opening(await Baresip.start({ name: 'Bob', frequency: 2000 }));
  for (const each of [one, two]) await each.dial(vmrd.sipUri('meet'));
  await one.hears([2000], [1000]);
  const heard = one.recording().samples.length;
  const started = Date.now();

  const comeAndGo = async (address, target) => {
    const caller = await SipCaller.start({ address, port: vmrd.sip });
    assert.equal((await caller.invite(target)).status, 200);
    await until(() => caller.received > 2, 5000);
    assert.equal((await caller.hangup()).status, 200);
    caller.close();
  };
  const rounds = async (count) => {
    for (let i = 0; i < count; i++) {
      await comeAndGo('127.0.0.1', vmrd.sipUri('meet'));
      await comeAndGo('127.0.0.2', vmrd.sipUri('+15550100'));
      await comeAndGo('127.0.0.2', vmrd.sipUri('+15550199'));
    }
    await until(async () => (await vmrd.participants('meet')).length === 2, 5000);
  };
  await rounds(10); // what is made once and kept
  const early = vmrd.usage();
  await rounds(50);
  const settled = () => {
    const { threads, descriptors, memory } = vmrd.usage();
    return threads <= early.threads + 2 && descriptors <= early.descriptors + 2 && memory < early.memory + 8 * 1024;
  };
  await until(settled, 10_000, () => JSON.stringify([early, vmrd.usage()]));

  // No gap: as much was heard as time went by (a busy machine loses some), and the tone is in every half second of it.
  const { rate, samples } = one.recording();
  const seconds = (samples.length - heard) / rate;
  const passed = (Date.now() - started) / 1000;
  assert.ok(seconds > 0.9 * passed, `${seconds} s heard in ${passed} s`);
  const quiet = one.quietest(2000, heard);
  assert.ok(quiet > -30, `2000 Hz once at ${quiet} dB`);
  await until(() => vmrd.calls().length >= 180, 5000, () => `${vmrd.calls().length} records`);
});
