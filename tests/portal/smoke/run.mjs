// Drives the built page in a real browser against smoke/mock_server.mjs: node smoke/run.mjs DIST [SHOTS]
//   VMR_BROWSER=chrome|firefox, VMR_BROWSER_PATH; screenshots go to SHOTS where it is given.
// Checks: every page is axe-clean under the daemon's CSP, media flows, all controls do what they say.
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';
import { MockServer } from './mock_server.mjs';
import { answerOffer, received } from './media_page.mjs';

const [dist, shots] = process.argv.slice(2);
const firefox = process.env.VMR_BROWSER === 'firefox';
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const kDesktop = { width: 1280, height: 720 };
const kPhone = { width: 390, height: 844 };
const kSmallest = { width: 360, height: 640 };
const kDeadline = 15_000;

const browser = await puppeteer.launch({
  browser: firefox ? 'firefox' : 'chrome',
  executablePath: process.env.VMR_BROWSER_PATH ?? (firefox ? '/usr/bin/firefox' : '/usr/bin/chromium'),
  headless: true,
  args: firefox ? [] : ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    '--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns',
    '--auto-select-desktop-capture-source=Entire screen'],
  extraPrefsFirefox: {
    'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true,
    'media.peerconnection.ice.loopback': true, 'media.peerconnection.ice.obfuscate_host_addresses': false,
    'media.autoplay.default': 0, 'media.getusermedia.screensharing.enabled': true,
  },
});

const mediaPage = await browser.newPage();
const server = new MockServer(dist, (sdp) => mediaPage.evaluate(answerOffer, sdp));
const base = await server.listen();
await mediaPage.goto(`${base}/favicon.svg`).catch(() => undefined);
await mediaPage.goto('about:blank');

const problems = [];
let page;

async function open(path, viewport = kDesktop) {
  await page?.close();
  page = await browser.newPage();
  const expected = /404|401|WebSocket|establish a connection|interrupted while the page|favicon/; // refused on purpose
  page.on('pageerror', (error) => expected.test(error.message) || problems.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type()) && !expected.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  await page.setViewport(viewport);
  await page.goto(base + path);
}

const id = (testid) => `[data-testid="${testid}"]`;
const see = (testid, more = '') => page.waitForSelector(id(testid) + more, { visible: true, timeout: kDeadline });
const gone = (testid) => page.waitForSelector(id(testid), { hidden: true, timeout: kDeadline });
const click = async (testid) => (await see(testid)).click();
const press = (key) => page.keyboard.press(key);
const state = (name, field = 'state') =>
  page.waitForFunction((f, n) => document.documentElement.dataset[f] === n, { timeout: kDeadline }, field, name);

async function until(what, check) {
  const end = Date.now() + kDeadline;
  while (!(await check())) {
    assert(Date.now() < end, `never happened: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

const called = (method, path, body) =>
  until(`${method} ${path}`, () =>
    server.calls.some((one) => one.method === method && one.path === path && JSON.stringify(one.body) === JSON.stringify(body)));
const legCalled = (type) => until(`leg ${type}`, () => server.calls.some((one) => one.leg === type));

async function look(name) {
  if (shots) await page.screenshot({ path: `${shots}/${firefox ? 'firefox-' : ''}${name}.png` });
  await page.evaluate(await import('node:fs').then((fs) => fs.readFileSync(axePath, 'utf8')));
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const one of found.violations) problems.push(`axe at ${name}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) problems.push(`${name}: ${wide} px wider than the screen`);
}

async function join(name = 'Test Person', query = '', viewport = kDesktop) {
  await open(`/join/board${query}`, viewport);
  const input = await see('join-name');
  await input.evaluate((element) => (element.value = ''));
  await input.type(name);
  await click('join-button');
}

const inRoom = async (...args) => {
  await join(...args);
  await state('in_room');
  await until('room picture plays', () => page.$eval(id('room-video'), (video) => video.videoWidth > 0 && video.currentTime > 0));
  await until('room sound plays', () => page.$eval(id('room-audio'), (audio) => !audio.paused && audio.currentTime > 0));
};

const tests = {
  async 'start page, and the administrator’s'() {
    await open('/');
    await see('start-form');
    await look('start');
    await open('/#admin=once');
    await see('room-card');
    assert.equal(await page.evaluate(() => location.hash), '');
    assert.match(await page.$eval(id('room-host-pin'), (one) => one.textContent), /482913/);
    const values = (testid) => page.$$eval(id(testid), (all) => all.map((one) => one.textContent));
    assert.deepEqual(await values('room-dial'), ['+49 30 123456']); // the other room has no number
    assert.deepEqual(await values('room-number'), ['2000']);
    await look('start-admin');
    await page.setViewport(kPhone);
    await look('start-admin-phone');
    await open('/#admin=used');
    await see('admin-error').catch(async () => assert.fail('no error for a used link'));
  },

  async 'join page with preview'() {
    server.startState = { state: 'pin', attempts_left: 3 };
    await open('/join/board');
    await state('on', 'camera');
    await see('preview-video');
    await see('join-pin');
    await look('join');
    await page.setViewport(kPhone);
    await look('join-phone');
    await page.setViewport(kDesktop);
    if (firefox) return; // cannot be told to be dark
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await look('join-dark');
  },

  async 'the chosen microphone is chosen the next time'() {
    if (firefox) return; // has one fake microphone
    await open('/join/board');
    await state('on', 'microphone');
    const chosen = () => page.$eval(id('select-microphone'), (one) => one.value);
    const others = await page.$$eval(`${id('select-microphone')} option`, (all) => all.map((one) => one.value).filter((one) => one !== 'default'));
    await page.select(id('select-microphone'), others.at(-1));
    await page.reload();
    await state('on', 'microphone');
    await until('the same again', async () => (await chosen()) === others.at(-1));
  },

  async 'PIN step, wrong then right'() {
    server.startState = { state: 'pin', attempts_left: 3 };
    await join();
    await legCalled('guest'); // an empty PIN on the join page is "as a guest"
    server.state({ state: 'pin', attempts_left: 3 });
    await (await see('pin-input')).type('1111');
    await press('Enter');
    await until('wrong PIN is shown', () => page.$eval(id('pin-note'), (note) => /not right.*2/s.test(note.textContent)));
    await look('pin');
    await (await see('pin-input')).type('482913');
    await click('pin-submit');
    await state('in_room');
  },

  async 'lobby, in and out'() {
    server.startState = { state: 'lobby', role: 'guest', reason: 'awaiting_host' };
    await join('Guest', '', kPhone);
    await see('lobby');
    await look('lobby-phone');
    server.state({ state: 'in_room', role: 'guest' });
    await state('in_room');
    await gone('lobby');
    server.state({ state: 'lobby', reason: 'held' });
    await see('lobby', '[data-reason=held]');
    assert.equal(await page.$eval(id('room-video'), (video) => getComputedStyle(video).opacity), '0');
  },

  async 'meeting: picture, roster, host controls'() {
    await inRoom();
    await state('4', 'people');
    await see('lobby-banner');
    await see('padlock', '[data-encrypted=false]');
    server.emit('vmr.talking', { participants: ['p-ada'] });
    await see('talking-line');
    server.emit('vmr.announcement', { kind: 'joined', text: 'Grace Hopper has joined' });
    await see('toast');
    await look('meeting');
    await click('padlock');
    await see('receipt');
    await look('meeting-receipt');
    await press('Escape');
    await gone('receipt');
    await click('people');
    await see('people-panel');
    await look('meeting-people');
    await click('lock');
    await called('POST', '/rooms/board/lock', { locked: true });
    await see('locked-chip');
    await click('person-admit');
    await called('POST', '/rooms/board/participants/p-wait/admit', undefined);
    await state('5', 'people');
    await click('mute-guests');
    await called('POST', '/rooms/board/mute-guests', { muted: true });
    await click('mute-newcomers');
    await called('POST', '/rooms/board/mute-newcomers', { muted: true });
    await page.$eval(id('layout-equal'), (one) => one.click());
    await called('POST', '/rooms/board/layout', { layout: 'equal' });
    await people_actions();
    await click('end-room');
    await see('confirm-dialog');
    await look('confirm');
    await click('confirm-yes');
    await called('POST', '/rooms/board/end', undefined);
    await see('left');
    await look('left');
  },

  async 'own controls by key, sharing, content pane'() {
    await inRoom();
    await state('4', 'people');
    await press('m');
    await called('PATCH', '/rooms/board/participants/p-me', { self_muted: true });
    await state('off', 'microphone');
    await until('the announcer says so', () => page.$eval(id('announcer'), (one) => /microphone is off/.test(one.textContent)));
    server.people.get('p-me').self_muted = false; // by a phone key
    server.emit('vmr.participant.updated', server.people.get('p-me'));
    await state('on', 'microphone');
    await until('who did it', () => page.$$eval(id('toast'), (all) => all.some((one) => /phone key/.test(one.textContent))));
    server.people.get('p-me').muted = true;
    server.emit('vmr.participant.updated', server.people.get('p-me'));
    await until('a host mutes', () => page.$eval(id('mute'), (one) => /Muted by a host/.test(one.textContent)));
    server.people.get('p-me').muted = false;
    server.emit('vmr.participant.updated', server.people.get('p-me'));
    await press('v');
    await state('off', 'camera');
    await press('v');
    await state('on', 'camera');
    await press('h');
    await called('PATCH', '/rooms/board/participants/p-me', { hand: true });
    await state('true', 'hand');
    if (!firefox) {
      await press('s');
      await state('true', 'sharing');
      await legCalled('content');
      await until('content packets', async () => (await mediaPage.evaluate(received))['2']?.packets > 0);
      await press('s');
      await state('false', 'sharing');
    }
    server.people.get('p-ada').sharing = true;
    server.emit('vmr.participant.updated', server.people.get('p-ada'));
    await see('content-pane');
    await until('content plays', () => page.$eval(id('content-video'), (video) => video.videoWidth > 0));
    await look('meeting-content');
    await page.setViewport(kPhone);
    await look('meeting-content-phone');
    await click('people');
    await look('meeting-people-phone');
    await page.setViewport(kSmallest);
    await press('p');
    await look('meeting-360');
    await click('devices');
    await see('device-dialog');
    await look('devices-360');
    await press('Escape');
    await gone('device-dialog');
    await page.setViewport(kDesktop);
    await click('help');
    await look('help');
    await press('Escape');
    await press('l');
    await see('confirm-dialog');
    await click('confirm-yes');
    await see('left');
    await legCalled('bye');
    await click('rejoin');
    await see('join-form');
  },

  async 'chat: by key, unread, markup stays text, off for guests'() {
    await inRoom();
    await state('4', 'people');
    const wrote = (participant, name, text) => server.emit('vmr.message', { participant, name, text });
    wrote('p-ada', 'Ada Lovelace', 'Good morning! The slides are in the invitation.');
    await until('it is told', () => page.$$eval(id('toast'), (all) => all.some((one) => /Ada Lovelace: Good morning/.test(one.textContent))));
    wrote('p-grace', 'Grace Hopper', '<img src=x onerror="document.title = 1"> & <b>bold</b>');
    await until('it is counted', () => page.$eval(id('chat'), (one) => /2\s*unread/.test(one.textContent)));
    await press('c');
    await see('chat-panel');
    await until('both are there', async () => (await page.$$(id('message'))).length === 2);
    await until('the field has the focus', () => page.evaluate(() => document.activeElement?.dataset.testid === 'chat-text'));
    assert.equal(await page.$(`${id('message')} img`), null);
    assert.equal(await page.$(`${id('chat')} .count`), null);
    await page.keyboard.type('Thank you,');
    await page.keyboard.down('Shift');
    await press('Enter');
    await page.keyboard.up('Shift');
    await page.keyboard.type('mute is not pressed');
    await press('Enter');
    await called('POST', '/rooms/board/messages', { text: 'Thank you,\nmute is not pressed' });
    await until('the field is empty', () => page.$eval(id('chat-text'), (one) => one.value === ''));
    server.emit('vmr.message', { name: 'Board meeting', text: 'The building closes at six.' });
    await until('all are there', async () => (await page.$$(id('message'))).length === 4);
    for (let i = 0; i < 12; i++) wrote('p-ada', 'Ada Lovelace', i % 3 ? `Line ${i}` : 'A longer one, which goes over more than a single line of the panel. '.repeat(2));
    await until('the last one is in sight', () => page.$eval(id('messages'), (one) => one.scrollHeight - one.scrollTop - one.clientHeight < 2));
    await look('meeting-chat');
    await page.setViewport(kSmallest);
    await look('meeting-chat-360');
    await page.setViewport(kDesktop);
    await page.focus(id('chat-text'));
    await press('Escape');
    await gone('chat-panel');
    await until('the focus is back', () => page.evaluate(() => document.activeElement?.tagName === 'H1'));
    await press('p');
    await click('allow-chat');
    await called('POST', '/rooms/board/chat', { allowed: false });
    Object.assign(server.people.get('p-me'), { role: 'guest' });
    server.emit('vmr.participant.updated', server.people.get('p-me'));
    await click('chat');
    await see('chat-off');
    assert.equal(await page.$(id('chat-text')), null);
    await look('meeting-chat-off');
  },

  async 'reconnects with its token within 5 s'() {
    await inRoom();
    await state('4', 'people');
    server.accepting = false;
    for (const socket of [...server.legs, ...server.events]) socket.terminate();
    await see('reconnecting');
    await look('reconnecting');
    server.calls.length = 0;
    server.accepting = true;
    const start = Date.now();
    await state('in_room');
    assert(Date.now() - start < 5000, `took ${Date.now() - start} ms`);
    assert(server.calls.some((one) => one.leg === 'join' && one.body.reconnect));
    await until('picture again', () => page.$eval(id('room-video'), (video) => video.srcObject?.getVideoTracks()[0]?.muted === false));
  },

  async 'a reload comes back as the same participant, as muted as before'() {
    await inRoom();
    await press('m');
    await state('off', 'microphone');
    server.calls.length = 0;
    await page.reload();
    await state('in_room');
    const joins = server.calls.filter((one) => one.leg === 'join');
    // Firefox closes the sockets before it tells the page: that one tries at once, too.
    assert.ok(joins.length >= 1 && joins.every((one) => one.body.reconnect), JSON.stringify(joins));
    assert.ok(!server.calls.some((one) => one.leg === 'bye'));
    await state('on', 'camera');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.microphone), 'off');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await until('room picture plays', () => page.$eval(id('room-video'), (video) => video.videoWidth > 0));
    await click('leave');
    await click('confirm-yes');
    await see('left');
    await page.reload();
    await see('join-form');
  },

  async 'why it ended, or never began'() {
    await inRoom();
    server.state({ state: 'left', cause: 'removed' });
    await see('left', '[data-cause=removed]');
    await look('left-removed');
    server.refusal = 'room_full';
    await join('Late', '', kSmallest);
    await see('join-error');
    assert.match(await page.$eval(id('join-error'), (one) => one.textContent), /meeting is full/);
    await look('join-refused-360');
    server.refusal = '';
    server.accepting = false;
    await join('Late');
    await until('the socket is the problem', () =>
      page.$$eval(id('join-error'), (all) => all.some((one) => /not let through/.test(one.textContent))));
  },

  async 'sends VP8, or H.264 when asked'() {
    const codecs = [['', 'video/VP8'], ['?codec=h264', 'video/H264']];
    for (const [query, codec] of firefox ? codecs.slice(0, 1) : codecs) { // Debian's Firefox fetches OpenH264 later
      await inRoom('Codec', query);
      await until(`${codec} arrives`, async () => {
        const got = await mediaPage.evaluate(received);
        return got['0']?.packets > 0 && got['1']?.packets > 0 && got['1'].codec === codec;
      });
    }
  },

  async 'joins without camera and microphone'() {
    if (firefox) return;
    await open('/');
    await page.evaluateOnNewDocument(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
    });
    await page.goto(`${base}/join/board`);
    await see('device-notice');
    await look('join-denied');
    await page.setViewport(kSmallest);
    await look('join-denied-360');
    await page.setViewport(kDesktop);
    const input = await see('join-name');
    await input.type('Listener');
    await click('join-button');
    await state('in_room');
    await called('PATCH', '/rooms/board/participants/p-me', { self_muted: true });
    await until('room picture plays', () => page.$eval(id('room-video'), (video) => video.videoWidth > 0));
  },
};

async function people_actions() {
  const act = async (action, method, path, body) => {
    await page.click(`[data-testid=person][data-id=p-grace] [data-testid=person-menu]`);
    await click(action);
    await called(method, `/rooms/board/participants/p-grace${path}`, body);
  };
  await page.click(`[data-testid=person][data-id=p-grace] [data-testid=person-menu]`);
  await look('meeting-menu');
  await press('Escape');
  await act('person-mute', 'PATCH', '', { muted: true });
  await act('person-grant-admit', 'POST', '/grants', { right: 'admit', granted: true });
  await act('person-spotlight', 'PATCH', '', { spotlight: true });
  await act('person-promote', 'PATCH', '', { role: 'host' });
  await see('person', '[data-id=p-grace][data-role=host]');
  await act('person-demote', 'PATCH', '', { role: 'guest' });
  await act('person-hold', 'POST', '/hold', undefined);
  await see('waiting-person', '[data-id=p-grace]');
  await page.click(`[data-testid=waiting-person][data-id=p-grace] [data-testid=person-refuse]`);
  await called('POST', '/rooms/board/participants/p-grace/refuse', undefined);
}

if (shots) mkdirSync(shots, { recursive: true });
const only = process.env.VMR_ONLY;
for (const [name, test] of Object.entries(tests)) {
  if (only && !name.includes(only)) continue;
  const before = problems.length;
  server.reset();
  try {
    await test();
  } catch (error) {
    problems.push(`${error.message}`);
    if (shots) await page.screenshot({ path: `${shots}/failed.png` }).catch(() => undefined);
  }
  const bad = problems.slice(before);
  console.log(`${bad.length ? 'FAIL' : 'ok  '} ${name}${bad.map((one) => `\n     ${one}`).join('')}`);
}
const failed = problems.length > 0; // closing may break a socket or two
await browser.close();
server.close();
process.exit(failed ? 1 : 0);
