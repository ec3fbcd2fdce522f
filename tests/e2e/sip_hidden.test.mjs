// By how a call is answered nobody learns which names exist; unless the operator would have it otherwise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const pins = 'host_pin = "482915"\nguest_pin = "730164"\n';
const idle = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const rooms = ['board', ...idle].map((id) => `[[rooms]]\nid = "${id}"\n${pins}`).join('')
  + `[[rooms]]\nid = "safe"\n${pins}encryption = "required"\n`;
let vmrd;
before(async () => {
  vmrd = await Vmrd.start(rooms);
});
after(() => vmrd?.stop());

// What differs from call to call is taken out; the order and the names of everything stay.
const tidy = (text) => text
  .replace(/^(via|from|to|call-id|contact|content-length):.*$/gim, '$1')
  .replace(/^(o=).*$/gm, '$1').replace(/^(m=\w+) \d+/gm, '$1').replace(/(inline:)[^|\s]*/g, '$1')
  .replace(/^(a=(?:ssrc|ice-ufrag|ice-pwd|rtcp|candidate|confid|userid)\b:?).*$/gm, '$1');

// Final answer, and how long it took.
async function call(name, body, { late = false } = {}) {
  const caller = await SipCaller.start({ port: vmrd.sip });
  const begin = performance.now();
  const final = await caller.invite(vmrd.sipUri(name), late ? '' : body ?? caller.description(), { talks: false });
  const took = final.at - begin;
  const statuses = caller.answers.map((answer) => answer.status);
  return { caller, final, alike: tidy(final.text), statuses, took };
}

async function hangUp({ caller }) {
  caller.request('BYE', ++caller.sequence, { target: caller.target, to: caller.to });
  await until(() => caller.answers.some((answer) => answer.cseq.endsWith('BYE')));
  caller.close();
}

async function answered(...given) {
  const one = await call(...given);
  await hangUp(one);
  return one;
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

const everything = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'm=audio 30000 RTP/AVP 96 9 8 101', 'a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000', 'a=rtcp-mux',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
  'a=candidate:1 1 UDP 2130706431 127.0.0.1 30000 typ host',
  'm=video 30002 RTP/AVP 97 98', 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1', 'a=rtpmap:98 VP8/90000',
  'a=rtcp-fb:* nack pli', 'a=content:main', 'a=candidate:1 1 UDP 2130706431 127.0.0.1 30002 typ host',
  'm=video 30004 RTP/AVP 97', 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1', 'a=content:slides', 'a=label:3',
  'a=candidate:1 1 UDP 2130706431 127.0.0.1 30004 typ host',
  'm=application 30006 UDP/BFCP *', 'a=floorctrl:c-only', 'a=floorid:1 mstrm:3', ''].join('\r\n');

for (const [what, ...given] of [['sound alone'], ['pictures, slides, keys and ICE', everything], ['no offer', undefined, { late: true }]]) {
  test(`a room with a PIN and a name that does not exist are answered alike: ${what}`, async () => {
    await answered('board', ...given);  // the first call makes the room's pipeline, the second the reception's
    await answered('warm', ...given);
    const known = await answered('board', ...given);
    const unknown = await answered('nowhere', ...given);
    assert.match(known.alike, /^SIP\/2.0 200/);
    assert.equal(unknown.alike, known.alike);
    assert.deepEqual(unknown.statuses, known.statuses);
    const times = [[known.took], [unknown.took]];
    for (let more = 0; more < 4; ++more) {
      times[0].push((await answered('board', ...given)).took);
      times[1].push((await answered('nowhere', ...given)).took);
    }
    assert.ok(Math.abs(median(times[0]) - median(times[1])) < 100, JSON.stringify(times));
  });
}

test('a room that demands encryption and a name that does not exist are answered alike', async () => {
  for (const body of [undefined, everything]) {
    const safe = await answered('safe', body);
    const unknown = await answered('nowhere', body);
    assert.match(safe.alike, /^SIP\/2.0 200/);
    assert.equal(unknown.alike, safe.alike);
    assert.deepEqual(unknown.statuses, safe.statuses);
  }
  assert.deepEqual(await vmrd.participants('safe'), []);
});

test('a number of a trunk, called by a stranger, is a name like others', async () => {
  assert.match((await answered('+15550100')).alike, /^SIP\/2.0 200/);
});

test('nobody has been there yet, and nobody can tell', async () => {
  const known = [];
  const unknown = [];
  for (const name of idle) {
    known.push((await answered(name)).took);
    unknown.push((await answered(`no-${name}`)).took);
  }
  assert.ok(Math.abs(median(known) - median(unknown)) < 500, `${known} ms, ${unknown} ms`);
});

test('a crowd of one source is refused alike, whatever it calls', async () => {
  const crowd = [];
  for (let count = 0; count < 20; count++) crowd.push(await call('board'), await call('nowhere'));
  assert.ok(crowd.every((one) => one.final.status === 200), crowd.map((one) => one.final.status).join(' '));
  const known = await call('board');
  const unknown = await call('nowhere');
  assert.equal(known.final.status, 486);
  assert.equal(unknown.alike, known.alike);
  known.caller.close();
  unknown.caller.close();
  for (const one of crowd) await hangUp(one);
  assert.equal((await answered('board')).final.status, 200);
});

test('where the operator says so, a name that does not exist is 404', async () => {
  await vmrd.stop();
  vmrd = await Vmrd.start(rooms, { sipKeys: 'unknown_to_reception = false' });
  const nobody = await call('nowhere');
  assert.equal(nobody.final.status, 404);
  nobody.caller.close();
  assert.equal((await answered('reception')).final.status, 200);
  const clear = await call('safe');
  assert.equal(clear.final.status, 488);
  clear.caller.close();
});
