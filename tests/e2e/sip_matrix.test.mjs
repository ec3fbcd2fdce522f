// The offer/answer and timer matrix, by sipp, for calls to a room and from it: transport × how the call is offered × reliable
// provisional answers × who refreshes; in each call offers by re-INVITE and UPDATE, an offer that is asked for, a refresh without one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answer, answerLast, ask, called, header, invited, maybe, recv, ringsReliably, send, Sipp } from './support/sipp.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
[dial_out]
[[dial_out.rules]]
name = "here"
domains = ["127.0.0.1"]
`);
});
after(() => vmrd?.stop());

const transports = { UDP: 'u1', TCP: 't1' };
const timers = {
  'no timer': { wanted: [], granted: /^(1800;refresher=uas)?$/ },
  'the caller refreshes': { wanted: ['Supported: timer', 'Session-Expires: 600;refresher=uac'], granted: /^600;refresher=uac$/ },
  'the callee refreshes': { wanted: ['Supported: timer', 'Session-Expires: 600;refresher=uas'], granted: /^600;refresher=uas$/ },
};
const combinations = (...lists) => lists.reduce((all, list) => all.flatMap((one) => list.map((each) => [...one, each])), [[]]);
const nobody = () => until(async () => (await vmrd.participants('meet')).length === 0, 5000, () => vmrd.output.slice(-1000));

const reliable = { 'no PRACK': [], 'PRACK if we like': ['Supported: 100rel'], 'PRACK demanded': ['Require: 100rel'] };
for (const [transport, offer, provisional, timer] of combinations(Object.keys(transports), ['early', 'delayed'], Object.keys(reliable), Object.keys(timers))) {
  test(`to the room: ${transport}, ${offer} offer, ${provisional}, ${timer}`, async () => {
    const { wanted, granted } = timers[timer];
    const early = offer === 'early';
    const pracks = early && provisional !== 'no PRACK';
    const rings = pracks ? [ringsReliably, recv(200), recv(200)] : early || provisional !== 'PRACK demanded' ? [recv(180), recv(200)] : [recv(200)];
    const more = { headers: wanted };
    const one = await Sipp.run(vmrd, 'meet', [
      send('INVITE', { dialog: false, sdp: early, headers: [...reliable[provisional], ...wanted] }), maybe(100), ...rings,
      send('ACK', { cseq: '1', sdp: !early, refuses: !early }),
      send('INVITE', { ...more, sdp: true, refuses: !early }), maybe(100), recv(200), send('ACK'),
      send('UPDATE', { ...more, sdp: true, refuses: !early }), recv(200),
      send('INVITE', more), maybe(100), recv(200), send('ACK', { sdp: true, refuses: true }),
      send('UPDATE', more), recv(200),
      send('BYE'), recv(200)], { transport: transports[transport] });
    const invites = one.answers(200, 'INVITE'), updates = one.answers(200, 'UPDATE');
    assert.deepEqual([invites.length, updates.length, one.answers(200, 'PRACK').length], [3, 2, pracks ? 1 : 0]);
    for (const each of [...invites, ...updates]) assert.match(header(each, 'Session-Expires'), granted);
    for (const each of [...invites, updates[0]]) assert.match(each, /^m=audio [1-9]\d* RTP\/AVP .*\b0\b/m);
    assert.doesNotMatch(updates[1], /^m=/m);
    await nobody();
  });
}

const ways = {
  'nothing before the answer': [answer('200 OK', { sdp: true, headers: ['GRANT'] })],
  '180': [answer('180 Ringing'), answer('200 OK', { sdp: true, headers: ['GRANT'] })],
  'a reliable 183 that answers': [answer('183 Session Progress', { sdp: true, headers: ['Require: 100rel', 'RSeq: 77'] }), called('PRACK'),
    answerLast('200 OK'), answer('200 OK', { headers: ['GRANT'] })],
};
const grants = {
  'no timer': '',
  'the caller refreshes': 'Require: timer\nSession-Expires: 600;refresher=uac',
  'the callee refreshes': 'Require: timer\nSession-Expires: 600;refresher=uas',
};
const talk = (steps, grant) => steps.map((step) => step.replace(/GRANT\n/, grant ? `${grant}\nAllow: UPDATE\n` : 'Allow: UPDATE\n'));

async function dial(steps, transport) {
  const one = await Sipp.start(vmrd, 'callee', steps, { transport: transports[transport], called: true });
  await until(() => one.listening(), 5000, () => one.output);
  const asked = await vmrd.api('POST', '/rooms/meet/dial-out', { address: one.uri });
  assert.equal(asked.status, 201, JSON.stringify(asked.body));
  assert.equal(await one.exited, 0, `${one.output}${one.read('errors')}\n${one.read('messages').slice(-6000)}`);
  return one;
}

for (const [transport, way, timer] of combinations(Object.keys(transports), Object.keys(ways), Object.keys(grants))) {
  test(`from the room: ${transport}, ${way}, ${timer}`, async () => {
    const refresher = timer === 'the callee refreshes' ? 'uac' : 'uas';  // of requests from the callee
    const more = timer === 'no timer' ? [] : ['Supported: timer', `Session-Expires: 600;refresher=${refresher}`];
    const one = await dial([invited, ...talk(ways[way], grants[timer]), called('ACK'),
      ask('UPDATE', { cseq: 1, sdp: true, headers: more }), recv(200),
      ask('INVITE', { cseq: 2, headers: more }), maybe(100), recv(200), ask('ACK', { cseq: 2, sdp: true }),
      ask('INVITE', { cseq: 3, sdp: true, headers: more }), maybe(100), recv(200), ask('ACK', { cseq: 3 }),
      ask('BYE', { cseq: 4 }), recv(200)], transport);
    const [invite] = one.requests('INVITE');
    assert.match(header(invite, 'Session-Expires'), /^1800/);
    assert.match(header(invite, 'Supported'), /\b100rel\b/);
    assert.match(invite, /^m=audio [1-9]/m);
    assert.equal(one.requests('PRACK').length, way.includes('reliable') ? 1 : 0);
    const answers = [...one.answers(200, 'UPDATE'), ...one.answers(200, 'INVITE')];
    assert.equal(answers.length, 3);
    for (const each of answers) {
      if (more.length) assert.equal(header(each, 'Session-Expires'), `600;refresher=${refresher}`);
      assert.match(each, /^m=audio [1-9]/m);
    }
    await nobody();
  });
}

test('from the room: a callee that wants a longer interval gets it asked for', async () => {
  const one = await dial([invited, answer('422 Session Interval Too Small', { headers: ['Min-SE: 3600'] }), called('ACK'), invited,
    answer('200 OK', { sdp: true, headers: ['Require: timer', 'Session-Expires: 3600;refresher=uac'] }), called('ACK'),
    ask('BYE'), recv(200)], 'UDP');
  const [, again] = one.requests('INVITE');
  assert.match(header(again, 'Session-Expires'), /^3600/);
  assert.equal(header(again, 'Min-SE'), '3600');
  await nobody();
});
