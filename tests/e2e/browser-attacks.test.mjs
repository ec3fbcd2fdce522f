// What must be refused, while two others talk and notice nothing.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { checkRecord } from './support/records.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, chromium, anna, ben, outsider;
before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\ntitle = "Meet"\nencryption = "required"\nlayout = "equal"\n');
  chromium = await launchChromium();
  anna = await come('Anna', 700, 'red');
  ben = await come('Ben', 1100, 'magenta');
  for (const one of [anna, ben]) await one.state('in_room');
  await anna.hears([1100], [700]);
  await ben.hears([700], [1100]);
  await anna.sees([colours.magenta], [colours.red]);
  await ben.sees([colours.red], [colours.magenta]);
  outsider = await chromium.newPage(); // a page of the same origin, for bare WebSockets
  await outsider.goto(`${vmrd.url}/`);
});
after(async () => {
  await chromium?.close();
  assert.equal(await vmrd?.stop(), 0, vmrd?.output);
  vmrd?.calls().forEach(checkRecord);
});

async function come(name, frequency, colour, forge) {
  const person = await Person.open(chromium, { frequency, colour: colours[colour] });
  if (forge) await person.page.evaluateOnNewDocument(`window.forge = ${forge}`);
  await person.join(vmrd.url, 'meet', { name });
  return person;
}

// Runs the attack while both others are watched: no gap in the tone, none in the picture.
async function undisturbed(attack) {
  await anna.page.evaluate(() => window.probe.watch(1100));
  await ben.page.evaluate(() => window.probe.watch(700));
  await attack();
  for (const one of [anna, ben]) {
    const seen = await one.page.evaluate(() => window.probe.steadiness());
    // The browsers share the machine with the attack: what they play may stumble, and their sockets overflow for a moment; what
    // the server sends may not be lost.
    assert.ok(seen.tone < 1000 && seen.picture < 1500 && seen.lost < 5, JSON.stringify(seen));
    assert.equal(await one.data('state'), 'in_room');
    assert.equal(await one.offers(), '1 connections, 1 offers');
  }
  assert.ok(vmrd.alive());
}

const recordsOf = (name) => vmrd.calls().filter((one) => one.name === name);

test('a forged fingerprint: no media, no entry', () => undisturbed(async () => {
  const forger = await come('Forger', 1700, 'blue',
    '(sdp) => sdp.replace(/(a=fingerprint:sha-256 )(..)/g, (all, head, byte) => head + (byte === "00" ? "01" : "00"))');
  await forger.state('left', 60_000);
  await Promise.all([anna, ben].map((one) => one.isolated([1700], [colours.blue])));
  await forger.close();
  const records = await until(() => recordsOf('Forger').length && recordsOf('Forger'), 5_000, () => 'record of Forger');
  for (const one of records) {  // who never was there is not waited for
    assert.ok(Date.parse(one.ended_at) - Date.parse(one.started_at) < 25_000, JSON.stringify(one));
  }
  assert.ok(records.every((one) => !one.admitted && !one.crypto.encrypted), JSON.stringify(records));
}));

test('an offer without a fingerprint is refused where encryption is required', () => undisturbed(async () => {
  const stripper = await come('Stripper', 1700, 'blue', '(sdp) => sdp.replace(/a=(fingerprint|setup):.*\\r\\n/g, "")');
  await stripper.left('encryption_required');
  await stripper.close();
  const [record] = await until(() => recordsOf('Stripper').length && recordsOf('Stripper'), 5_000);
  assert.deepEqual([record.admitted, record.end_cause], [false, 'encryption_required']);
}));

test('an offer of plain RTP is refused where encryption is required', () => undisturbed(async () => {
  const plain = await come('Plain', 1700, 'blue',
    '(sdp) => sdp.replace(/a=(fingerprint|setup):.*\\r\\n/g, "").replaceAll("UDP/TLS/RTP/SAVPF", "RTP/AVPF")');
  await plain.left('encryption_required');
  await plain.close();
}));

// Sends what it is given on a WebSocket of its own; gives back how that ended, or that it said `enough`.
function socket(path, protocols, messages, enough = null) {
  return outsider.evaluate((where, wanted, list, last) => new Promise((resolve) => {
    const one = new WebSocket(`${location.origin.replace('http', 'ws')}${where}`, wanted);
    const received = [];
    setTimeout(() => resolve({ code: 0, received }), 8_000);
    one.onmessage = (event) => {
      received.push(String(event.data).slice(0, 200));
      if (last && received.at(-1).includes(last)) resolve({ code: 0, received });
    };
    one.onclose = (event) => resolve({ code: event.code, received });
    one.onopen = () => list.forEach((message) => one.send(
      typeof message === 'string' ? message : message.binary ? new Uint8Array(message.binary) : message.repeat ? message.head + message.repeat.repeat(message.count) + message.tail : ''));
  }), path, protocols, messages, enough);
}

const join = JSON.stringify({ type: 'join', alias: 'meet', name: 'Garbage' });

test('1 MB of SDP, and other garbage on the WebSocket, is refused on that socket alone', () => undisturbed(async () => {
  const leg = (messages, enough) => socket('/api/v1/legs/webrtc', ['vmr.webrtc'], messages, enough);
  const huge = await leg([join, { head: '{"type":"offer","sdp":"v=0\\r\\n', repeat: 'a=x:0123456789\\r\\n', count: 60_000, tail: '"}' }]);
  assert.ok([1006, 1009].includes(huge.code), JSON.stringify(huge)); // too big, or the connection is cut
  const large = await leg([join, { head: '{"type":"offer","sdp":"v=0\\r\\n', repeat: 'a=x:0\\r\\n', count: 5_000, tail: '"}' }]);
  assert.notEqual(large.code, 0, JSON.stringify(large));
  for (const messages of [
    [{ binary: [0, 255, 1, 2, 3] }], ['{'], ['[]'], ['null'], ['{"type":"offer","sdp":""}'], ['{"type":"join"}'],
    [join, '{"type":"offer","sdp":"garbage"}'],
    [{ head: '', repeat: '[', count: 90_000, tail: '' }],
    [`{"type":"join","alias":"meet","name":"${'x'.repeat(5000)}"}`],
    Array(200).fill('{"type":"nonsense"}'),
  ]) {
    const { code, received } = await leg(messages, '"type":"error"');
    assert.ok(code !== 0 || received.some((text) => text.includes('"type":"error"')), `nothing said to ${JSON.stringify(messages).slice(0, 100)}`);
    assert.ok(!received.some((text) => text.includes('"type":"answer"')));
  }
  for (const protocols of [['vmr.events'], ['vmr.events', 'vmr.bearer.wrong'], ['vmr.events', `vmr.bearer.${'x'.repeat(4000)}`]]) {
    assert.equal((await socket('/api/v1/events?room=meet', protocols, [])).code, 1006);
  }
}));

// Over again with each new token, which is another one's place as long as nobody was in.
test('who takes their own place, over again, before any media came, joins anew each time', () => undisturbed(async () => {
  const tokens = await outsider.evaluate(async () => {
    const list = [];
    for (let i = 0; i < 20; ++i) {
      const one = new WebSocket(`${location.origin.replace('http', 'ws')}/api/v1/legs/webrtc`, ['vmr.webrtc']);
      const joined = new Promise((resolve) => {
        one.onmessage = ({ data }) => data.includes('"joined"') && resolve(JSON.parse(data));
        one.onclose = () => resolve({});
      });
      const message = { type: 'join', alias: 'meet', name: 'Hasty', ...(i ? { reconnect: list.at(-1) } : {}) };
      one.onopen = () => one.send(JSON.stringify(message));
      list.push((await joined).token);
    }
    return list;
  });
  assert.equal(new Set(tokens.filter(Boolean)).size, 20, JSON.stringify(tokens));
  assert.equal((await vmrd.participants('meet')).filter((one) => one.name === 'Hasty').length, 1);
}));

// Raw bytes on the HTTP port; gives back what came before the server closed.
function raw(bytes) {
  return new Promise((resolve) => {
    const one = connect(vmrd.http, '127.0.0.1');
    let text = '';
    one.on('data', (data) => (text += data));
    one.on('error', () => {});
    one.on('close', () => resolve(text));
    one.setTimeout(3_000, () => one.destroy());
    one.write(bytes);
  });
}

test('garbage on HTTP is refused', () => undisturbed(async () => {
  const statuses = [];
  for (const bytes of [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'INVITE sip:meet@x SIP/2.0\r\n\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: x\r\n' + 'X: y\r\n'.repeat(5_000) + '\r\n', 'POST /api/v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{',
    'GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ]) {
    const answer = await raw(Buffer.from(bytes, 'latin1'));
    assert.doesNotMatch(answer, /root:/);
    assert.ok(!/^HTTP\/1\.. 2/.test(answer) || answer.includes('<title>vmr</title>'), answer); // at most the start page
    statuses.push(answer.slice(9, 12));
  }
  assert.ok([400, 422].includes((await vmrd.api('POST', '/rooms', { id: 'x'.repeat(3000) })).status), String(statuses));
  assert.equal((await vmrd.api('GET', '/rooms', undefined, 'wrong')).status, 401);
  assert.equal((await fetch(`${vmrd.url}/api/v1/rooms`)).status, 401);
}));

test('after all that, someone new joins as ever', async () => {
  const carl = await come('Carl', 1700, 'blue');
  await carl.state('in_room');
  await carl.hears([700, 1100], [1700]);
  await anna.hears([1100, 1700], [700]);
  await carl.close();
});
