// Chat between browsers and SIP: both ways, nothing of it in the lobby, off where a host turned it off, and not without end.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Baresip } from './support/baresip.mjs';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const hostPin = '314159';
const takesMessages = { headers: ['Allow: INVITE, ACK, BYE, CANCEL, INFO, MESSAGE'] };
let vmrd, chromium, host, gina, system;
const opened = [];
before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "team"
title = "Team"
host_pin = "${hostPin}"
guests_allowed = true
host_absence = "continue"
[[rooms]]
id = "open"
title = "Open"
`);
  chromium = await launchChromium();
  host = await come('Hanna', hostPin, 'blue');
  gina = await come('Gina', '', 'red');
  system = await call('system');
  await until(async () => (await vmrd.participant('team', 'system'))?.state === 'in_room');
});
after(async () => {
  await Promise.all(opened.map((one) => one.stop?.() ?? one.close()));
  await chromium?.close();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
  const kept = JSON.stringify(vmrd?.calls()) + vmrd?.output;
  for (const secret of ['good morning', 'from the system', 'behind closed doors']) assert.ok(!kept.includes(secret), 'in no log and no record');
});

async function come(name, pin, colour) {
  const person = await Person.open(chromium, { frequency: 700, colour: colours[colour] });
  await person.join(vmrd.url, 'team', { name, pin });
  await person.state('in_room');
  return person;
}

async function call(user, entry = '#') {
  const one = await SipCaller.start({ user, port: vmrd.sip });
  opened.push(one);
  const answer = await one.invite(vmrd.sipUri('team'), undefined, takesMessages);
  assert.equal(answer.status, 200);
  assert.match(answer.text, /^Allow: .*MESSAGE/m);
  await until(async () => (await vmrd.participant('team', user))?.state === 'pin');
  await one.info(entry);
  return one;
}

const say = (one, body, type = 'text/plain') => one.within('MESSAGE', { type, body });
const told = (one) => one.requests.filter((text) => text.startsWith('MESSAGE')).map((text) => text.split('\r\n\r\n').slice(1).join('\r\n\r\n'));
const isTold = (one, text) => until(() => told(one).includes(text), 15_000, () => JSON.stringify(told(one)));

const lines = (person) => person.page.$$eval('[data-testid=message]', (list) =>
  list.map((one) => `${one.querySelector('.name').textContent}: ${one.querySelector('.message-text').textContent}`));
const reads = (person, line) => until(async () => (await lines(person)).includes(line), 15_000, async () => JSON.stringify(await lines(person)));
const openChat = async (person) => {
  if (!(await person.page.$('[data-testid=chat-panel]'))) await person.click('chat');
  await person.page.waitForSelector('[data-testid=chat-panel]');
};
async function write(person, text) {
  await openChat(person);
  await person.page.focus('[data-testid=chat-text]');
  const { keyboard } = person.page;
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) {
      await keyboard.down('Shift');
      await keyboard.press('Enter');
      await keyboard.up('Shift');
    }
    await keyboard.type(line);
  }
  await keyboard.press('Enter');
}
// As the page, with its own bearer.
const post = (person, path, body) => person.page.evaluate(async ([where, what]) => {
  const bearer = window.probe.sockets.map((socket) => socket.bearer).filter(Boolean).at(-1);
  const answer = await fetch(`/api/v1/rooms/team${where}`, {
    method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }, body: JSON.stringify(what),
  });
  return { status: answer.status, retry: answer.headers.get('retry-after'), detail: answer.ok ? '' : (await answer.json()).detail };
}, [path, body]);

test('browsers and a SIP system read each other', async () => {
  await write(host, 'good morning');
  // Gina's panel is closed: she is told, for some seconds, and it is counted.
  await until(() => gina.page.$$eval('[data-testid=toast]', (list) => list.some((one) => one.textContent.includes('Hanna: good morning'))), 15_000);
  await reads(host, 'You: good morning');
  await isTold(system, 'Hanna: good morning');
  assert.match(await gina.page.$eval('[data-testid=chat]', (button) => button.textContent), /1\s*unread/);
  await openChat(gina);
  await reads(gina, 'Hanna: good morning');

  assert.equal((await say(system, 'from the system: <img src=x onerror="window.broken = 1">')).status, 200);
  await Promise.all([host, gina].map((one) => reads(one, 'system: from the system: <img src=x onerror="window.broken = 1">')));
  assert.equal(await host.page.evaluate(() => document.querySelector('.message-text img') ?? window.broken ?? null), null);
  await write(gina, 'two\nlines');
  await isTold(system, 'Gina: two\r\n  lines');
  assert.equal(told(system).length, 2, 'not what it said itself');

  assert.equal((await vmrd.api('POST', '/rooms/team/messages', { text: 'The building closes at six.' })).status, 204);
  await reads(gina, 'Team: The building closes at six.');
  await isTold(system, 'Team: The building closes at six.');
});

test('what is no text is refused, and says what would be', async () => {
  const composing = await say(system, '<isComposing/>', 'application/im-iscomposing+xml');
  assert.equal(composing.status, 415);
  assert.match(composing.text, /^Accept: text\/plain\r$/m);
  assert.equal((await say(system, 'x'.repeat(2001))).status, 413);
  assert.equal((await say(system, 'a\x1b[31mred')).status, 400);
  assert.equal((await post(gina, '/messages', { text: '\u0007' })).status, 422);
  const stranger = await SipCaller.start({ user: 'stranger', port: vmrd.sip });
  opened.push(stranger);
  for (const name of ['team', 'nowhere']) {
    Object.assign(stranger, { target: vmrd.sipUri(name), to: `<${vmrd.sipUri(name)}>` });
    assert.equal((await say(stranger, 'hello')).status, 405, 'outside of a call, for any name alike');
  }
});

test('who is in the lobby, or back from it, has none of what was said meanwhile', async () => {
  await host.openPeople();
  await host.click('lock');
  const late = await call('late');
  await until(async () => (await vmrd.participant('team', 'late'))?.state === 'lobby');
  await host.act('Gina', 'person-hold');
  await gina.state('lobby');
  assert.equal((await say(late, 'let me in')).status, 403);
  assert.equal((await post(gina, '/messages', { text: 'let me in' })).status, 403);
  await write(host, 'behind closed doors');
  await isTold(system, 'Hanna: behind closed doors');
  assert.deepEqual(await lines(gina), []);
  assert.equal(await gina.page.$('[data-testid=chat]'), null);
  await host.answerWaiting('Gina', 'person-admit');
  await host.answerWaiting('late', 'person-admit');
  await gina.state('in_room');
  await until(async () => (await vmrd.participant('team', 'late'))?.state === 'in_room');
  await openChat(gina);
  await write(host, 'and welcome');
  await reads(gina, 'Hanna: and welcome');
  await isTold(late, 'Hanna: and welcome');
  assert.deepEqual(await lines(gina), ['Hanna: and welcome']);
  assert.deepEqual(told(late), ['Hanna: and welcome']);
  await late.hangup();
});

test('a host turns it off for guests, who are told so', async () => {
  await host.openPeople();
  await host.click('allow-chat');
  await gina.page.waitForSelector('[data-testid=chat-off]');
  assert.equal(await gina.page.$('[data-testid=chat-text]'), null);
  const refused = await post(gina, '/messages', { text: 'but I want to' });
  assert.deepEqual([refused.status, refused.detail], [403, 'chat is off for guests']);
  assert.equal((await say(system, 'me too')).status, 403);
  await write(host, 'please listen');
  await reads(gina, 'Hanna: please listen');
  await host.openPeople();
  await host.click('allow-chat');
  await gina.page.waitForSelector('[data-testid=chat-text]');
});

test('a flood is limited', async () => {
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push(await post(gina, '/messages', { text: `spam ${i}` }));
  const refused = answers.filter((one) => one.status !== 204);
  assert.ok(refused.length >= 1 && refused.length <= 3, JSON.stringify(answers));
  assert.deepEqual(refused[0], { status: 429, retry: '10', detail: 'at most 10 messages in 10 seconds' });
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push(await say(system, `spam ${i}`));
  const late = statuses.filter((one) => one.status !== 200);
  assert.ok(late.length >= 1, JSON.stringify(statuses.map((one) => one.status)));
  assert.equal(late[0].status, 480);
  assert.match(late[0].text, /^Retry-After: 10\r$/m);
  assert.equal((await system.within('OPTIONS')).status, 200, 'the call goes on');
});

test('baresip shows it; over clear signalling an encrypted leg gets none', async () => {
  const secure = { trusted: `${vmrd.folder}/sip.crt`, transport: 'tls', encryption: 'dtls_srtp' };
  const safe = await Baresip.start({ name: 'Safe', ...secure });
  const clear = await Baresip.start({ name: 'Clear', encryption: 'dtls_srtp' });
  opened.push(safe, clear);
  await safe.dial(vmrd.sipsUri('open'));
  await clear.dial(vmrd.sipUri('open'));
  for (const name of ['Safe', 'Clear']) {
    await until(async () => {
      const one = await vmrd.participant('open', name);
      return one?.state === 'in_room' && one.crypto.encrypted;
    });
  }
  assert.equal((await vmrd.api('POST', '/rooms/open/messages', { text: 'for protected eyes' })).status, 204);
  await until(() => safe.output.includes('Open: for protected eyes'), 15_000, () => safe.output.slice(-1500));
  assert.ok(!clear.output.includes('protected eyes'));
});
