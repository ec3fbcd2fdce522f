// A room system shares and receives slides as a second stream, with BFCP (RFC 8855) and H.264, beside a browser.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

const primitive = { request: 1, release: 2, requestStatus: 4, floorQuery: 7, floorStatus: 8, requestStatusAck: 14, floorStatusAck: 15 };
const status = { granted: 3, revoked: 7 };
const floorId = [0x05, 4, 0, 1]; // FLOOR-ID 1, mandatory

// The floor control client of a room system, over UDP.
class Floor {
  constructor(socket, answer) {
    Object.assign(this, { socket, heard: [], transaction: 0 });
    this.port = Number(answer.match(/^m=application (\d+) UDP\/BFCP/m)[1]);
    this.conference = Number(answer.match(/^a=confid:(\d+)/m)[1]);
    this.user = Number(answer.match(/^a=userid:(\d+)/m)[1]);
    socket.on('message', (data) => this.take(data));
  }

  take(data) {
    const kind = data[1];
    const transaction = data.readUInt16BE(8);
    const at = Math.max(...[0x0a, 0x0b].map((type) => data.indexOf(Buffer.from([type, 4])))); // REQUEST-STATUS, mandatory or not
    this.heard.push({ kind, response: (data[0] & 0x10) !== 0, transaction, status: at < 0 ? 0 : data[at + 2], request: data.readUInt16BE(14) });
    if ((data[0] & 0x10) === 0) this.say(kind === primitive.requestStatus ? primitive.requestStatusAck : primitive.floorStatusAck, [], transaction);
  }

  say(kind, attributes = [], acknowledged) {
    const message = Buffer.alloc(12 + attributes.length);
    message[0] = 0x40 | (acknowledged === undefined ? 0 : 0x10);
    message[1] = kind;
    message.writeUInt16BE(attributes.length / 4, 2);
    message.writeUInt32BE(this.conference, 4);
    message.writeUInt16BE(acknowledged ?? ++this.transaction, 8);
    message.writeUInt16BE(this.user, 10);
    Buffer.from(attributes).copy(message, 12);
    this.socket.send(message, this.port, '127.0.0.1');
  }

  hears(wanted) {
    return until(() => this.heard.find(wanted), 5_000, () => JSON.stringify(this.heard));
  }
}

let vmrd, browser, anna, system, floor, content, control, encoder, source, slides = 0;
const bound = () => new Promise((resolve) => {
  const socket = createSocket('udp4');
  socket.unref();
  socket.bind(0, '127.0.0.1', () => resolve(socket));
});

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "team"\n');
  browser = await launchChromium();
  anna = await Person.open(browser, { frequency: 1000, colour: colours.magenta });
  await anna.join(vmrd.url, 'team', { name: 'Anna' });
  await anna.state('in_room');
  [content, control, encoder] = [await bound(), await bound(), await bound()];
  content.on('message', (data) => { if ((data[1] & 0x7f) === 97) slides++; });
  system = await SipCaller.start({ user: 'system', port: vmrd.sip });
  const answer = await system.invite(vmrd.sipUri('team'), system.description() + [
    'm=video 9 RTP/AVP 97', 'a=inactive', 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42801f;packetization-mode=1', 'a=content:main', 'a=label:11',
    `m=video ${content.address().port} RTP/AVP 97`, 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42801f;packetization-mode=1',
    'a=rtcp-fb:* nack pli', 'a=content:slides', 'a=label:12',
    `m=application ${control.address().port} UDP/BFCP *`, 'a=floorctrl:c-only', 'a=floorid:1 mstrm:12', ''].join('\r\n'));
  assert.equal(answer.status, 200, answer.text);
  floor = new Floor(control, answer.text);
  const port = Number(answer.text.match(/^m=video (\d+)[^]*?^m=video (\d+)/m)[2]);
  encoder.on('message', (data) => content.send(data, port, '127.0.0.1')); // symmetric RTP: from the port that receives
  source = () => spawn('gst-launch-1.0', `videotestsrc is-live=true pattern=solid-color foreground-color=0xff00ffff ! video/x-raw,width=640,height=360,framerate=15/1
    ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=97 config-interval=-1
    ! udpsink host=127.0.0.1 port=${encoder.address().port}`.split(/\s+/), { stdio: 'ignore' });
});

after(async () => {
  source?.process?.kill();
  await browser?.close();
  await system?.hangup();
  system?.close();
  await vmrd?.stop();
});

const sharing = async (name) => (await vmrd.participant('team', name)).sharing;

test('the room system asks for the floor, gets it, and its slides are seen', async () => {
  floor.say(primitive.floorQuery, floorId);
  await floor.hears((one) => one.kind === primitive.floorStatus && one.response);
  floor.say(primitive.request, floorId);
  await floor.hears((one) => one.kind === primitive.requestStatus && one.status === status.granted);
  await until(() => sharing('system'), 5_000);
  source.process = source();
  await anna.sees([colours.cyan], [], 'content-video');
});

test('who shares after it takes the floor over, and the room system receives the slides', async () => {
  const before = slides;
  await anna.click('share');
  await until(() => sharing('Anna'), 5_000);
  await floor.hears((one) => one.kind === primitive.requestStatus && one.status === status.revoked && !one.response);
  source.process.kill();
  assert.equal(await sharing('system'), false);
  await until(() => slides > before + 20, 10_000, () => `${slides} packets`);
});

test('when nobody shares any more the room system hears so', async () => {
  floor.heard.length = 0;
  await anna.click('share');
  await floor.hears((one) => one.kind === primitive.floorStatus && !one.response);
  await until(async () => !(await sharing('Anna')), 5_000);
});
