// SIP calls one by one: codecs, hold, encryption by policy, receipts, refusals.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[rooms]]
id = "safe"
encryption = "required"
`, { sipKeys: 'unknown_to_reception = false' });
});

afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await vmrd.emptied('meet', 'safe');
});

after(() => vmrd?.stop());

async function client(options) {
  const one = await Baresip.start({ trusted: `${vmrd.folder}/sip.crt`, ...options });
  opened.push(one);
  return one;
}

async function call(uri, options) {
  const one = await client(options);
  await one.dial(uri);
  assert.ok(one.established(), one.output);
  return one;
}

const secure = { transport: 'tls', encryption: 'srtp-mand' };

for (const [codecs, module] of [['pcma', 'g711'], ['G722', 'g722'], ['opus/48000/2', 'opus']]) {
  test(`${codecs}: both ways, beside PCMU`, async () => {
    const one = await call(vmrd.sipUri('meet'), { name: 'Ada', frequency: 1000, codecs, modules: [module] });
    const two = await call(vmrd.sipUri('meet'), { name: 'Bob', frequency: 2000 });
    await one.hears([2000], [1000]);
    await two.hears([1000], [2000]);
    await one.stop();
    const record = await until(() => vmrd.calls().find((each) => each.name === 'Ada' && each.streams.some((stream) =>
      stream.codec === codecs.split('/')[0].toLowerCase())), 5000, () => JSON.stringify(vmrd.calls().map((each) => each.streams)));
    for (const stream of record.streams) assert.ok(stream.packets > 0, JSON.stringify(stream));
  });
}

const outside = Object.values(networkInterfaces()).flat().find((one) => one.family === 'IPv4' && !one.internal)?.address;
test('ICE: baresip is the full side, we are the lite one', { skip: !outside && 'needs an address beside 127.0.0.1' }, async () => {
  const one = await client({ name: 'Ada', frequency: 1000, modules: ['g711', 'ice'], account: 'medianat=ice', mediaAddress: outside });
  await one.dial(vmrd.sipUri('meet'));
  assert.ok(one.established(), one.output);
  const two = await call(vmrd.sipUri('meet'), { name: 'Bob', frequency: 2000 });
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
  assert.match(one.output, /ice: audio: connectivity check is complete/);
});

test('hold is silence both ways, resume brings both back', async () => {
  const one = await call(vmrd.sipUri('meet'), { name: 'Ada', frequency: 1000 });
  const two = await call(vmrd.sipUri('meet'), { name: 'Bob', frequency: 2000 });
  await two.hears([1000], [2000]);
  await one.hears([2000], [1000]);
  for (let round = 0; round < 2; round++) {
    one.command('hold');
    await two.hears([], [1000]);
    await one.receives((bits) => bits === 0);
    one.command('resume');
    await two.hears([1000]);
    await one.receives((bits) => bits > 60_000);
  }
});

test('DTLS-SRTP over TLS', async () => {
  const one = await call(vmrd.sipsUri('safe'), { name: 'Ada', frequency: 1000, transport: 'tls', encryption: 'dtls_srtp' });
  const two = await call(vmrd.sipsUri('safe'), { name: 'Bob', frequency: 2000, ...secure });
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
  const { crypto } = await vmrd.participant('safe', 'Ada');
  assert.match(crypto.media, /^DTLS-SRTP /);
  assert.match(crypto.signalling, /^TLSv1\.[23]/);
  assert.equal(crypto.encrypted, true);
});

test('SDES keys over TLS encrypt; over UDP they count as none', async () => {
  await call(vmrd.sipsUri('meet'), { name: 'Ada', ...secure });
  await call(vmrd.sipUri('meet'), { name: 'Bob', encryption: 'srtp-mand' });
  const encrypted = await vmrd.participant('meet', 'Ada');
  assert.match(encrypted.crypto.media, /^SDES AES_CM_128_HMAC_SHA1_80/);
  assert.equal(encrypted.crypto.encrypted, true);
  assert.equal((await vmrd.participant('meet', 'Bob')).crypto.encrypted, false);
  assert.equal((await vmrd.api('GET', '/rooms/meet')).body.unencrypted, true);
});

test('a room that needs encryption refuses plain RTP and keys in the clear with 488, and records it', async () => {
  for (const encryption of ['', 'srtp-mand']) {
    const one = await client({ name: `Plain${encryption ? 'Keys' : ''}`, encryption });
    await one.dial(vmrd.sipUri('safe'));
    assert.ok(!one.established());
    assert.match(one.output, /488/);
  }
  const plain = await client({ name: 'Naked', transport: 'tls' });
  await plain.dial(vmrd.sipsUri('safe'));
  assert.match(plain.output, /488/);
  const record = await until(() => vmrd.calls().find((each) => each.name === 'Naked'), 5000,
    () => JSON.stringify(vmrd.calls().map((each) => [each.name, each.end_cause])));
  assert.equal(record.admitted, false);
  assert.match(record.end_cause, /encryption/);
});

test('an unknown alias is 404', async () => {
  const one = await client({ name: 'Lost' });
  await one.dial(vmrd.sipUri('nowhere'));
  assert.match(one.output, /404/);
});

test('no trunk, no numbers; never from one trunk to another', async () => {
  for (const target of ['+15550100', '00442079460000', '+15550100@example.org']) {
    const caller = await SipCaller.start({ port: vmrd.sip });
    const uri = target.includes('@') ? `sip:${target}` : vmrd.sipUri(target);
    assert.equal((await caller.invite(uri)).status, 404, target);
    caller.close();
  }
});

test('an offer that nothing matches is 488, one that cannot be read is 400', async () => {
  const caller = await SipCaller.start({ port: vmrd.sip });
  opened.push({ stop: async () => caller.close() });
  const none = caller.description().replaceAll('AVP 0', 'AVP 18').replace('0 PCMU/8000', '18 G729/8000');
  assert.equal((await caller.invite(vmrd.sipUri('meet'), none)).status, 488);
  const other = await SipCaller.start({ port: vmrd.sip });
  opened.push({ stop: async () => other.close() });
  assert.equal((await other.invite(vmrd.sipUri('meet'), 'v=0\r\nnot sdp')).status, 400);
});

test('a participant who is removed is hung up on, and leaves one record', async () => {
  const one = await call(vmrd.sipUri('meet'), { name: 'Cut' });
  await one.hears([], [1000]);
  const { participants } = (await vmrd.api('GET', '/rooms/meet/participants')).body;
  const removed = await vmrd.api('DELETE', `/rooms/meet/participants/${participants[0].id}`);
  assert.equal(removed.status, 204);
  await one.ended();
  const records = await until(() => {
    const list = vmrd.calls().filter((each) => each.name === 'Cut');
    return list.length && list;
  }, 5000);
  assert.equal(records.length, 1);
  assert.equal(records[0].end_cause, 'removed');
});
