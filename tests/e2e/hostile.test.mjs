// Garbage on every port of a call, and calls that are not what they say, while two others talk over TLS with SRTP and
// notice nothing. (HTTP, WebSocket, forged fingerprints, 1 MB of SDP: browser-attacks.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, one, two;
const senders = [];

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "safe"\nencryption = "required"\n[[rooms]]\nid = "meet"\n', { sipKeys: 'unknown_to_reception = false' });
  const secure = { transport: 'tls', encryption: 'srtp-mand', trusted: `${vmrd.folder}/sip.crt` };
  one = await Baresip.start({ name: 'Ada', frequency: 1000, ...secure });
  two = await Baresip.start({ name: 'Bob', frequency: 2000, ...secure });
  for (const each of [one, two]) {
    await each.dial(vmrd.sipsUri('safe'));
    assert.ok(each.established(), each.output);
  }
  await one.hears([2000], [1000]);
  await two.hears([1000], [2000]);
});
after(async () => {
  senders.forEach((each) => each.kill('SIGKILL'));
  await one?.stop();
  await two?.stop();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output.slice(-2000));
});

// Both are heard throughout: in every half second from the attack's start until a second after its end.
async function undisturbed(attack) {
  const starts = [one, two].map((each) => each.recording().samples.length);
  await attack();
  assert.ok(vmrd.alive(), vmrd.output.slice(-2000));
  const ends = [one, two].map((each) => each.recording().samples.length);
  await until(() => [one, two].every((each, i) => each.recording().samples.length > ends[i] + 8000), 10_000);
  assert.ok(one.quietest(2000, starts[0]) > -40, `2000 Hz once at ${one.quietest(2000, starts[0])} dB`);
  assert.ok(two.quietest(1000, starts[1]) > -40, `1000 Hz once at ${two.quietest(1000, starts[1])} dB`);
  assert.equal((await vmrd.participants('safe')).filter((each) => each.state === 'in_room').length, 2);
}

// What is no RTP, no RTCP, no DTLS, no STUN; and what only looks like one of them.
const garbage = [
  Buffer.alloc(0), Buffer.from([0x80]), randomBytes(3), randomBytes(1400), randomBytes(2048), Buffer.alloc(1200, 0xff), Buffer.alloc(172, 0x80),
  Buffer.concat([Buffer.from([0x80, 0]), randomBytes(170)]), Buffer.concat([Buffer.from([0xbf, 0xff]), randomBytes(100)]),
  Buffer.concat([Buffer.from([0x81, 203, 0, 1]), randomBytes(4)]), Buffer.concat([Buffer.from([0x81, 200, 0xff, 0xff]), randomBytes(60)]),
  Buffer.concat([Buffer.from([22, 254, 253]), randomBytes(200)]), Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)]),
];

test('garbage on the media ports: from a stranger and from the very address of the caller\'s machine', () => undisturbed(async () => {
  const ports = vmrd.mediaPorts();
  assert.ok(ports.length >= 2, `media ports ${ports}`);
  for (const address of ['127.0.0.1', '127.0.0.77']) {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.bind(0, address, resolve));
    const send = (bytes, port) => new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
    for (let round = 0; round < 20; round++) {
      for (const port of ports) for (const bytes of garbage) await send(bytes, port);
    }
    socket.close();
  }
}));

const requests = [
  randomBytes(500), Buffer.from('INVITE\r\n\r\n'), Buffer.from('SIP/2.0 200 OK\r\n\r\n'), Buffer.alloc(60_000, 'A'), Buffer.from('\0\0\0\0'),
  Buffer.from(`INVITE sip:safe@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nContent-Length: 99999999999\r\n\r\n`),
  Buffer.from(`INVITE sip:safe@127.0.0.1${';a=b'.repeat(4000)} SIP/2.0\r\n\r\n`), Buffer.from('OPTIONS sip:x SIP/2.0\r\nVia: \r\nCSeq: x\r\n\r\n'),
  Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...randomBytes(64)]),
];

test('garbage on SIP over UDP', () => undisturbed(async () => {
  const socket = createSocket('udp4');
  for (let round = 0; round < 20; round++) {
    for (const bytes of requests) await new Promise((resolve) => socket.send(bytes, vmrd.sip, '127.0.0.1', resolve));
  }
  socket.close();
}));

// Settled when the server has closed the connection; `open` makes it.
const closedBy = (open, bytes) => new Promise((resolve, reject) => {
  const socket = open(() => socket.write(bytes));
  const timer = setTimeout(() => { socket.destroy(); reject(new Error(`still open after ${bytes.subarray(0, 40)}`)); }, 20_000);
  socket.on('data', () => {});
  socket.on('error', () => {});
  socket.on('close', () => { clearTimeout(timer); resolve(); });
});
const plain = (port) => (ready) => connect(port, '127.0.0.1', ready);
const tls = (ready) => connectTls({ port: vmrd.sips, host: '127.0.0.1', rejectUnauthorized: false }, ready);
const unreadable = [randomBytes(3000), Buffer.alloc(70_000, 'A'), Buffer.from(`INVITE sip:safe@x SIP/2.0\r\n${'X: y\r\n'.repeat(500)}\r\n`)];

test('garbage on SIP over TCP closes that connection', () => undisturbed(() =>
  Promise.all(unreadable.map((bytes) => closedBy(plain(vmrd.sip), bytes)))));

test('garbage on SIP over TLS, in the handshake and after it, closes that connection', () => undisturbed(() =>
  Promise.all(unreadable.flatMap((bytes) => [closedBy(plain(vmrd.sips), bytes), closedBy(tls, bytes)]))));

test('keys that were stripped from an offer: 488 where encryption is required, never plain RTP', () => undisturbed(async () => {
  const caller = await SipCaller.start({ user: 'stripped', port: vmrd.sip });
  for (const profile of ['RTP/SAVP', 'RTP/AVP']) {
    const { status } = await caller.invite(vmrd.sipUri('safe'), caller.description({ profile }));
    assert.equal(status, 488, profile);
    caller.callId = randomBytes(8).toString('hex');
  }
  caller.close();
  const records = await until(() => {
    const list = vmrd.calls().filter((call) => call.name === 'stripped');
    return list.length === 2 && list;
  }, 5000);
  assert.ok(records.every((record) => !record.admitted && /encryption/.test(record.end_cause)), JSON.stringify(records));
}));

// A tone in SRTP by a key, as GStreamer's srtpenc makes it.
function sendTone(port, frequency, key) {
  const sender = spawn('gst-launch-1.0', ['-q', 'audiotestsrc', 'is-live=true', `freq=${frequency}`, 'samplesperbuffer=160', '!',
    'audio/x-raw,rate=8000,channels=1', '!', 'mulawenc', '!', 'rtppcmupay', '!', 'srtpenc', `key=${key.toString('hex')}`, '!',
    'udpsink', 'host=127.0.0.1', `port=${port}`, 'sync=false'], { stdio: 'ignore' });
  senders.push(sender);
  return sender;
}

test('SRTP by another key than the offered one: not heard, until the right key comes', (t) => undisturbed(async () => {
  const listener = await Baresip.start({ name: 'Carl', frequency: 3000 });
  t.after(() => listener.stop());
  await listener.dial(vmrd.sipUri('meet'));
  const caller = await SipCaller.start({ user: 'keyed', port: vmrd.sip });
  const [right, wrong] = [randomBytes(30), randomBytes(30)];
  const offer = `${caller.description({ profile: 'RTP/SAVP' })}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${right.toString('base64')}\r\n`;
  const answer = await caller.invite(vmrd.sipUri('meet'), offer, { talks: false });
  assert.equal(answer.status, 200);
  const port = Number(answer.text.match(/^m=audio (\d+)/m)[1]);
  const forger = sendTone(port, 1500, wrong);
  const heard = listener.recording().samples.length;
  await until(() => listener.recording().samples.length > heard + 2 * 8000, 10_000);
  assert.ok(listener.tones([1500])[0] < -60, `${listener.tones([1500])} dB`);
  forger.kill();
  sendTone(port, 1500, right);
  await listener.hears([1500]);
  await caller.hangup();
  caller.close();
}));

// A call whose description names somebody else's address as its own would send them a room's media for hours.
test('who never sent anything is ended; who is held may be as silent as they like', async () => {
  const [silent, talker, ...held] = await Promise.all(['silent', 'talker', 'inactive', 'sendonly', 'zero'].map((user) => SipCaller.start({ user, port: vmrd.sip })));
  await Promise.all([silent.invite(vmrd.sipUri('meet'), undefined, { talks: false }), ...[talker, ...held].map((one) => one.invite(vmrd.sipUri('meet')))]);
  for (const one of held) {
    await until(() => one.received > 20);
    one.mayTalk = false;
    const body = one.user === 'zero' ? one.description().replace(/^c=.*$/gm, 'c=IN IP4 0.0.0.0') : one.description({ direction: one.user });
    assert.equal((await one.within('INVITE', { type: 'application/sdp', body })).status, 200);
    one.request('ACK', one.sequence, { target: one.target, to: one.to });
  }
  await silent.ended(45_000);
  const before = talker.received;
  await until(() => talker.received > before + 150, 10_000); // three seconds more than the silent one had
  for (const { user, requests } of held) assert.ok(!requests.some((text) => text.startsWith('BYE')), `${user}\n${requests.join('\n')}`);
  const record = await until(() => vmrd.calls().find((call) => call.name === 'silent'), 5000);
  assert.equal(record.end_cause, 'no_media');
  for (const each of [...held, talker]) {
    assert.equal((await each.hangup()).status, 200);
    each.close();
  }
  silent.close();
});
