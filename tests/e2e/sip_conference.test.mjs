// Room systems show who is in the conference: a subscriber sees people come, change and go (RFC 4575); from the lobby it
// sees nothing.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip } from './support/baresip.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { Vmrd } from './support/vmrd.mjs';
import { until } from './support/until.mjs';

let vmrd;
let opened = [];
before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\ntitle = "Team"\n[[rooms]]\nid = "board"\nguests_allowed = true\nhost_pin = "482915"\n');
});
after(() => vmrd?.stop());
afterEach(async () => {
  await Promise.all(opened.map((one) => one.stop()));
  opened = [];
});

const notified = (one) => one.requests.filter((text) => text.startsWith('NOTIFY')).map((text) => ({
  state: text.match(/^Subscription-State: (.*)$/m)[1].trim(),
  document: text.split('\r\n\r\n').slice(1).join('\r\n\r\n'),
}));
const seen = (one, wanted) => until(() => notified(one).find(wanted), 10_000, () => JSON.stringify(notified(one)));

async function call(user, room) {
  const one = await SipCaller.start({ user, port: vmrd.sip });
  opened.push({ stop: async () => one.close() });
  const answer = await one.invite(vmrd.sipUri(room));
  assert.equal(answer.status, 200);
  assert.match(answer.contact, /;isfocus/);
  return one;
}

const events = (expires) => ({ headers: ['Event: conference', 'Accept: application/conference-info+xml', `Expires: ${expires}`] });

test('people come, change and go on the roster of a room system', async () => {
  const one = await call('system', 'meet');
  await until(async () => (await vmrd.participant('meet', 'system'))?.state === 'in_room');
  assert.equal((await one.within('SUBSCRIBE', events(600))).status, 200);
  const first = await seen(one, ({ state }) => state.startsWith('active'));
  assert.match(first.document, /state="full" version="1".*<display-text>Team<\/display-text>.*<user-count>1<\/user-count>/s);
  assert.match(first.document, /<display-text>system<\/display-text>/);
  assert.doesNotMatch(first.document, /127\.0\.0\.1:\d+;|raw@|system@/, 'nobody\'s address');

  const ada = await Baresip.start({ name: 'Ada', frequency: 1000 });
  opened.push(ada);
  await ada.dial(vmrd.sipUri('meet'));
  const came = await seen(one, ({ document }) => /<display-text>Ada<.*<status>connected</s.test(document));
  assert.match(came.document, /state="partial"/);
  const { id } = await vmrd.participant('meet', 'Ada');
  assert.match(came.document, new RegExp(`<user entity="sip:${id}@anonymous.invalid" state="full">`));

  assert.equal((await vmrd.api('PATCH', `/rooms/meet/participants/${id}`, { muted: true, name: 'Ada & <Bob>' })).status, 204);
  const muted = await seen(one, ({ document }) => document.includes('muted-via-focus'));
  assert.match(muted.document, /<display-text>Ada &amp; &lt;Bob&gt;</);
  assert.match(muted.document, /<type>audio<\/type><status>recvonly</);
  assert.equal((await vmrd.api('DELETE', `/rooms/meet/participants/${id}`)).status, 204);
  await seen(one, ({ document }) => document.includes(`<user entity="sip:${id}@anonymous.invalid" state="deleted"/>`));

  await one.within('SUBSCRIBE', events(0));
  await seen(one, ({ state }) => state === 'terminated;reason=timeout');
  await one.hangup();
});

test('in the lobby a subscriber learns nothing, and again nothing once it is moved back there', async () => {
  const guest = await call('guest', 'board');
  await until(async () => (await vmrd.participant('board', 'guest'))?.state === 'pin');
  assert.equal((await guest.within('SUBSCRIBE', events(600))).status, 200);
  await guest.info('#');
  await until(async () => (await vmrd.participant('board', 'guest'))?.state === 'lobby');
  const host = await call('host', 'board');
  await until(async () => (await vmrd.participant('board', 'host'))?.state === 'pin');
  for (const { state, document } of notified(guest)) {
    assert.match(state, /^pending/);
    assert.equal(document, '');
  }
  await host.info('482915#');
  const active = await seen(guest, ({ state }) => state.startsWith('active'));
  assert.match(active.document, /state="full" version="1"/);
  await seen(guest, ({ document }) => /<display-text>host<\/display-text><roles><entry>host</.test(document));

  const { id } = await vmrd.participant('board', 'guest');
  const before = notified(guest).length;
  assert.equal((await vmrd.api('POST', `/rooms/board/participants/${id}/hold`)).status, 204);
  const after = await until(() => notified(guest)[before], 5000);
  assert.match(after.state, /^pending/);
  assert.match(after.document, /state="full" version="\d+"><\/conference-info>/);
  await guest.hangup();
  await host.hangup();
});

test('a stranger is told nothing, of a room that exists and of one that does not', async () => {
  for (const room of ['meet', 'nowhere']) {
    const stranger = await SipCaller.start({ user: 'stranger', port: vmrd.sip });
    opened.push({ stop: async () => stranger.close() });
    Object.assign(stranger, { target: vmrd.sipUri(room), to: `<${vmrd.sipUri(room)}>` });
    assert.equal((await stranger.within('SUBSCRIBE', events(600))).status, 403);
    assert.equal(stranger.requests.length, 0);
  }
});
