// Calls as Teams' Direct Routing makes them, by the profile of that name.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

// Its proxies: nobody is there by TLS; the other one, in the clear, takes transfers back.
const address = '127.0.0.6';
let vmrd, proxy, caller;

before(async () => {
  proxy = await SipCaller.start({ user: 'api', address });
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[dial_out]
refer = "participants"
${[['teams', '127.0.0.1', 'sip:127.0.0.1:9;transport=tls', ''],
    ['clear', address, `sip:${address}:${proxy.signalling.address().port};transport=udp`, 'tls = false\nsrtp = "room"']].map(([name, from, uri, more]) => `
[[trunks]]
name = "${name}"
profile = "teams-direct-routing"
contact_host = "localhost"
addresses = ["${from}"]
proxies = ["${uri}"]
${more}
[trunks.numbers]
"+4930123" = "meet"
`).join('')}`);
});
after(async () => {
  proxy?.close();
  caller?.close();
  await vmrd?.stop();
});

test('a call by TLS: SRTP with the one suite, a lifetime and no MKI, the codecs of the profile, our name in Contact', async () => {
  caller = await SipCaller.start({ user: '+4989555', port: vmrd.sips, transport: 'tls' });
  const key = `AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}|2^31`;
  const offer = ['v=0', 'o=- 72348 0 IN IP4 127.0.0.1', 's=session', 'c=IN IP4 127.0.0.1', 't=0 0',
    `m=audio ${caller.media.address().port} RTP/SAVP 104 9 18 0 8 101`, `a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:${randomBytes(46).toString('base64')}|2^31`,
    `a=crypto:2 ${key}`, 'a=sendrecv', 'a=rtpmap:104 SILK/16000', 'a=rtpmap:9 G722/8000', 'a=rtpmap:18 G729/8000', 'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=rtcp-mux', ''].join('\r\n');
  const { status, text } = await caller.invite(vmrd.sipsUri('+4930123'), offer, { talks: false });
  assert.equal(status, 200, text);
  assert.match(text, /^Contact: <sip:[^>]*@localhost:\d+;transport=tls>\r$/m);
  assert.match(text, /^m=audio \d+ RTP\/SAVP 9 101\r$/m);
  assert.deepEqual(text.match(/^a=crypto:.*$/gm).map((line) => line.replace(/inline:[\w+/]{40}/, 'KEY')), ['a=crypto:2 AES_CM_128_HMAC_SHA1_80 KEY|2^31']);
  assert.match(text, /^a=rtcp-mux\r$/m);
  assert.equal((await vmrd.joined('meet', '+4989555')).leg, 'phone');
  await until(() => caller.received > 20, 10_000, () => `${caller.received} packets`);
  assert.equal((await caller.hangup()).status, 200);
});

test('a transfer by REFER goes back over the trunk, with Refer-To and Referred-By as they are', async () => {
  const port = proxy.signalling.address().port;
  await until(() => proxy.requests.some((each) => each.startsWith('OPTIONS ')), 10_000);
  const { status, text } = await proxy.invite(vmrd.sipUri('+4930123'));
  assert.equal(status, 200, text);
  assert.match(text, /^Allow: .*\bREFER\b/m);
  await vmrd.joined('meet', 'api');
  const target = `sip:+4989777@${address}:${port};user=phone;x-m=8:orgid:0A-b`;
  const by = `<sip:${address};x-m=8:orgid:0C-d;x-tt=aHR0cHM6Ly9h%3D>`;
  const answer = await proxy.within('REFER', { headers: [`Refer-To: <${target}>`, `Referred-By: ${by}`] });
  assert.equal(answer.status, 202, answer.text);
  const invite = await until(() => proxy.requests.find((each) => each.startsWith(`INVITE ${target} SIP/2.0\r\n`)), 10_000, () => proxy.requests.join('\n'));
  assert.ok(invite.includes(`\r\nReferred-By: ${by}\r\n`), invite);
  await vmrd.joined('meet', '+4989777');
  await until(() => proxy.requests.some((each) => each.startsWith('NOTIFY') && each.includes('\r\n\r\nSIP/2.0 200 ')), 10_000, () => proxy.requests.join('\n'));
  // A number that is not theirs: no rule allows it.
  assert.equal((await proxy.within('REFER', { headers: ['Refer-To: <sip:+4989777@elsewhere.example>'] })).status, 603);
});
