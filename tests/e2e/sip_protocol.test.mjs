// What a SIP network's equipment does and softphones do not on demand, by sipp: OPTIONS, early and delayed offers, CANCEL,
// session timers. (Virtual time for what takes minutes: tests/daemon/legs/sip/session_test.cpp.)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { bye, header, maybe, recv, send, Sipp, talk } from './support/sipp.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];
before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\n');
});
after(() => vmrd?.stop());
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
  await until(async () => (await vmrd.participants('meet')).length === 0, 5000);
});

const first = { dialog: false };
const hangUp = [send('BYE'), recv(200)];
const answered = [maybe(100), maybe(180), recv(200)];
const recordOf = (user) => until(() => vmrd.calls().find((call) => call.from.includes(user)), 5000,
  () => JSON.stringify(vmrd.calls().map((call) => [call.from, call.end_cause])));

for (const transport of ['u1', 't1']) {
  test(`OPTIONS is answered with what we can do (${transport === 'u1' ? 'UDP' : 'TCP'})`, async () => {
    const one = await Sipp.run(vmrd, 'meet', [send('OPTIONS', first), recv(200)], { transport });
    const [answer] = one.answers(200, 'OPTIONS');
    for (const method of ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'UPDATE']) assert.match(header(answer, 'Allow'), new RegExp(`\\b${method}\\b`));
    assert.equal(header(answer, 'Accept'), 'application/sdp');
    assert.match(header(answer, 'Supported'), /\btimer\b/);
  });
}

const offers = { early: [{ sdp: true }, {}], delayed: [{}, { sdp: true, refuses: true }] };
for (const [name, [invite, ack]] of Object.entries(offers)) {
  test(`the ${name} offer: the call is up, sound goes both ways`, async () => {
    const other = await Baresip.start({ name: 'Ada', frequency: 2000 });
    opened.push(other);
    await other.dial(vmrd.sipUri('meet'));
    const one = await Sipp.start(vmrd, 'meet', [send('INVITE', { ...first, ...invite }), ...answered, send('ACK', ack), talk, bye], { user: name });
    opened.push(one);
    const here = await until(async () => (await vmrd.participants('meet')).find((each) => each.name === 'sipp' && each.state === 'in_room'), 5000, () => one.read('messages'));
    assert.match(one.answers(200, 'INVITE')[0], /^m=audio \d+ RTP\/AVP .*\b0\b/m);
    await other.hears([1000]);
    await vmrd.api('DELETE', `/rooms/meet/participants/${here.id}`);
    assert.equal(await one.exited, 0, one.output);
    const record = await recordOf(name);
    assert.equal(record.end_cause, 'removed');
    const sent = record.streams.find((each) => each.kind === 'audio' && each.direction === 'out');
    assert.ok(sent.codec === 'pcmu' && sent.packets > 0, JSON.stringify(record.streams));
  });
}

test('CANCEL before the answer: 487, nobody is left in the room, and a record says so', async () => {
  // A server that was busy for a moment finds both when it comes to read.
  const caller = await SipCaller.start({ user: 'canceller', port: vmrd.sip });
  opened.push({ stop: async () => caller.close() });
  vmrd.process.kill('SIGSTOP');
  const outcome = await caller.inviteAndCancel(vmrd.sipUri('meet'), () => vmrd.process.kill('SIGCONT'));
  assert.deepEqual(outcome, { cancel: 200, invite: 487 });
  const record = await recordOf('canceller');
  assert.equal(record.admitted, false);
});

test('a caller who hangs up at once, whenever that meets the answer: no call stays', async () => {
  const one = await Baresip.start({ name: 'Hasty' });
  opened.push(one);
  for (let i = 0; i < 5; i++) {
    one.output = '';
    one.command(`dial ${vmrd.sipUri('meet')}`);
    one.command('hangup');
    await until(() => /session closed|terminate/i.test(one.output), 5000, () => one.output);
    await until(async () => (await vmrd.participants('meet')).length === 0, 5000, () => one.output);
  }
});

const timed = (value, more = []) => ({ ...first, sdp: true, headers: ['Supported: timer', `Session-Expires: ${value}`, ...more] });

test('session timers: an interval below the minimum is 422 with Min-SE', async () => {
  const one = await Sipp.run(vmrd, 'meet', [send('INVITE', timed('60;refresher=uac')), maybe(100), recv(422), send('ACK')]);
  assert.equal(header(one.answers(422, 'INVITE')[0], 'Min-SE'), '90');
});

test('session timers: the caller refreshes, by UPDATE and by re-INVITE', async () => {
  const refresh = { headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] };
  const one = await Sipp.run(vmrd, 'meet', [send('INVITE', timed('90;refresher=uac', ['Min-SE: 90'])), ...answered, send('ACK'),
    send('UPDATE', refresh), recv(200), send('INVITE', { ...refresh, sdp: true }), ...answered, send('ACK'), ...hangUp], { user: 'refresher' });
  const grants = [...one.answers(200, 'INVITE'), ...one.answers(200, 'UPDATE')];
  assert.equal(grants.length, 3);
  for (const answer of grants) {
    assert.equal(header(answer, 'Session-Expires'), '90;refresher=uac');
    assert.match(header(answer, 'Require'), /\btimer\b/);
  }
  assert.equal((await recordOf('refresher')).end_cause, 'normal');
});

test('session timers: we refresh where the caller wants that, or cannot', async () => {
  const wanted = await Sipp.run(vmrd, 'meet', [send('INVITE', timed('90;refresher=uas')), ...answered, send('ACK'), ...hangUp]);
  assert.equal(header(wanted.answers(200, 'INVITE')[0], 'Session-Expires'), '90;refresher=uas');
  const unable = await Sipp.run(vmrd, 'meet', [send('INVITE', { ...first, sdp: true, headers: ['Session-Expires: 1800'] }), ...answered, send('ACK'), ...hangUp]);
  const [answer] = unable.answers(200, 'INVITE');
  assert.equal(header(answer, 'Session-Expires'), '1800;refresher=uas');
  assert.equal(header(answer, 'Require'), '');
});
