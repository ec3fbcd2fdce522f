// An AS-SIP trunk: what leaves for a call, signalling, sound and pictures, is marked by its precedence, as the packets
// themselves say. Runs in a network namespace of its own (run.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { open as openMedia, SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

// Of routine, priority, immediate, flash.
const codes = { signalling: [40, 41, 42, 43], audio: [51, 39, 37, 35], video: [50, 38, 36, 32] };
const listed = (kind) => `dscp_${kind} = [${codes[kind].join(', ')}]`;
const opened = [];
after(() => Promise.all(opened.reverse().map((one) => one())));

const nft = (...options) => execFileSync('nft', options).toString();
const filter = (text) => execFileSync('nft', ['-f', '-'], { input: text });

// Counts what leaves for these ports: with the code point that it is to have, and with another. Of TLS only records
// count: the connection is there before it is known for which call; its handshake is unmarked.
function count(name, family, ports, wanted) {
  const field = family === 'IPv6' ? 'ip6 dscp' : 'ip dscp';
  const [others, rules] = [{ signalling: `!= { 0, ${wanted.signalling} }` }, []];
  for (const [kind, port] of Object.entries(ports)) {
    const packets = kind === 'signalling' ? `tcp dport ${port} tcp flags & psh == psh` : `udp dport ${port}`;
    rules.push(`${packets} ${field} ${wanted[kind]} counter comment "${kind} right"`,
      `${packets} ${field} ${others[kind] ?? `!= ${wanted[kind]}`} counter comment "${kind} wrong"`);
  }
  filter(`table inet ${name} {\n  chain leaving {\n    type filter hook output priority 0\n    ${rules.join('\n    ')}\n  }\n}\n`);
  return () => Object.fromEntries(JSON.parse(nft('-j', 'list', 'table', 'inet', name)).nftables.flatMap(({ rule }) =>
    rule ? [[rule.comment, rule.expr.find((each) => each.counter).counter.packets]] : []));
}

const key = () => `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`;

async function call(vmrd, family, rank) {
  const address = family === 'IPv6' ? '::1' : '127.0.0.1';
  const user = `rank${rank}`;
  const caller = await SipCaller.start({ user, address, server: address, port: vmrd.sips, transport: 'tls' });
  const pictures = await openMedia(address);
  pictures.unref();
  opened.push(() => { caller.close(); pictures.close(); });
  const ports = { signalling: caller.signalling.address().port, audio: caller.media.address().port, video: pictures.address().port };
  const wanted = Object.fromEntries(Object.entries(codes).map(([kind, list]) => [kind, list[rank]]));
  const counted = count(`${family.toLowerCase()}_${user}`, family, ports, wanted);
  const ip = family === 'IPv6' ? 'IP6' : 'IP4';
  const offer = ['v=0', `o=- 1 1 IN ${ip} ${address}`, 's=-', `c=IN ${ip} ${address}`, 't=0 0',
    `m=audio ${ports.audio} RTP/SAVP 0`, key(), `m=video ${ports.video} RTP/SAVP 97`, 'a=rtpmap:97 VP8/90000', key(), ''].join('\r\n');
  const answer = await caller.invite(vmrd.sipsUri('+15550100'), offer, { talks: false, headers: [`Resource-Priority: uc-000000.${rank * 2}`] });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /^m=video [1-9]\d* RTP\/SAVP /m);
  assert.ok(counted()['signalling right'] > 0, `the answer is not marked: ${JSON.stringify(counted())}`);
  return { caller, counted };
}

for (const family of ['IPv4', 'IPv6']) {
  test(`signalling by TLS, sound and pictures have the code points of their call's precedence (${family})`, async () => {
    const address = family === 'IPv6' ? '::1' : '127.0.0.1';
    const vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[[trunks]]
name = "network"
profile = "as-sip"
mutual_tls = false
addresses = ["${address}"]
${Object.keys(codes).map(listed).join('\n')}
[trunks.numbers]
"+15550100" = "meet"
`, { address: family === 'IPv6' ? '[::1]' : address, media: address });
    opened.push(() => vmrd.stop());
    const calls = [await call(vmrd, family, 0), await call(vmrd, family, 3)];
    const seen = () => JSON.stringify(calls.map((one) => one.counted()));
    await until(() => calls.every(({ counted }) => counted()['audio right'] > 50 && counted()['video right'] > 10), 30_000, seen);
    for (const { caller, counted } of calls) {
      const before = counted()['signalling right'];
      assert.equal((await caller.hangup()).status, 200);
      const all = counted();
      assert.ok(all['signalling right'] > before, seen());
      for (const kind of Object.keys(codes)) assert.equal(all[`${kind} wrong`], 0, `${kind}: ${seen()}`);
    }
  });
}
