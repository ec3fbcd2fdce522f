// With sip.unknown_to_reception nobody learns by calling which names exist.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SipCaller } from './support/sip_caller.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd;
before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "board"\nhost_pin = "482915"\nguest_pin = "730164"\n', { sipKeys: 'unknown_to_reception = true' });
});
after(() => vmrd?.stop());

// Final answer, with what differs from call to call taken out, and how long it took.
async function call(name) {
  const caller = await SipCaller.start({ port: vmrd.sip });
  const begin = performance.now();
  const final = await caller.invite(vmrd.sipUri(name), undefined, { talks: false });
  const took = performance.now() - begin;
  const statuses = caller.answers.map((answer) => answer.status);
  caller.request('BYE', ++caller.sequence, { target: caller.target, to: caller.to });
  const alike = final.text.replace(/^(via|from|to|call-id|contact|content-length):.*$/gim, '$1').replace(/^(o=|m=audio|a=).*$/gm, '$1');
  caller.close();
  return { alike, statuses, took };
}

test('a room with a PIN and a name that does not exist are answered alike', async () => {
  await call('board');  // the first call makes the room's pipeline, the second the reception's
  await call('warm');
  const known = await call('board');
  const unknown = await call('nowhere');
  assert.match(known.alike, /^SIP\/2.0 200/);
  assert.equal(unknown.alike, known.alike);
  assert.deepEqual(unknown.statuses, known.statuses);
  assert.ok(Math.abs(unknown.took - known.took) < 500, `${unknown.took} ms, ${known.took} ms`);
});
