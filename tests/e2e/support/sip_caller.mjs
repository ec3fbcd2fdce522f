// A bare SIP caller over UDP or TLS whose every message the test decides: what real clients do not do on demand (SIP INFO
// keys, plain RTP where it is not wanted, calls that must be refused).
import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { until } from './until.mjs';

export const open = (address) => new Promise((resolve, reject) => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.once('error', reject).bind(0, address, () => resolve(socket));
});

// As a UDP socket is used here; whose certificate it is does not matter.
async function openTls(host, port, take) {
  const socket = connect({ host, port, rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('error', reject).once('secureConnect', resolve));
  let bytes = Buffer.alloc(0);
  socket.on('data', (data) => {
    bytes = Buffer.concat([bytes, data]);
    for (let end; (end = bytes.indexOf('\r\n\r\n') + 4) > 3;) {
      end += Number(bytes.toString('latin1', 0, end).match(/^content-length:\s*(\d+)/mi)?.[1] ?? 0);
      if (bytes.length < end) break;
      take(bytes.toString('utf8', 0, end));
      bytes = bytes.subarray(end);
    }
  });
  const local = { port: socket.localPort };
  return { address: () => local, send: (text, _port, _server, done) => socket.write(text, done), close: () => socket.destroy(), unref: () => socket.unref() };
}

// PCMU whose loudest sample is above -30 dB of full scale or so: not silence, not comfort noise.
const isLoud = (packet) => packet.length > 12 && (packet[1] & 0x7f) === 0 && packet.subarray(12).some((byte) => ((~byte >> 4) & 7) >= 4);

export class SipCaller {
  static async start({ user = 'raw', address = '127.0.0.1', port, server = '127.0.0.1', transport = 'udp' }) {
    const caller = new SipCaller();
    Object.assign(caller, { user, address, port, server, transport, sequence: 0, received: 0, loud: 0, answers: [], requests: [] });
    caller.host = address.includes(':') ? `[${address}]` : address;
    caller.signalling = transport === 'tls' ? await openTls(server, port, (text) => caller.take(text)) : await open(address);
    caller.media = await open(address);
    caller.callId = randomBytes(8).toString('hex');
    caller.tag = randomBytes(4).toString('hex');
    if (transport === 'udp') {
      caller.signalling.on('message', (data, from) => {
        caller.port ??= from.port; // of a server that began
        caller.take(data.toString());
      });
    }
    caller.media.on('message', (packet) => {
      caller.received++;
      caller.loud += isLoud(packet) ? 1 : 0;
    });
    // A test that failed and did not close its callers ends all the same.
    caller.signalling.unref();
    caller.media.unref();
    return caller;
  }

  take(text) {
    if (text.startsWith('SIP/2.0')) {
      const header = (name) => text.match(new RegExp(`^${name}:\\s*(.*)$`, 'mi'))?.[1].trim() ?? '';
      this.answers.push({ status: Number(text.slice(8, 11)), cseq: header('CSeq'), to: header('To'), contact: header('Contact'), text, at: performance.now() });
    } else {
      const branch = text.match(/^Via:.*;branch=([^;\s]+)/mi)?.[1];
      if (!this.requests.some((one) => one.startsWith(text.split(' ', 1)[0]) && one.includes(`;branch=${branch}`))) {
        this.requests.push(text); // once, however often it comes
      }
      if (!text.startsWith('ACK')) {
        const copied = text.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
          .map((line) => (/^to:/i.test(line) && !line.includes(';tag=') ? `${line};tag=${this.tag}` : line));
        const body = text.startsWith('INVITE') ? this.follow(text) : '';
        const described = body ? [`Contact: ${this.contact}`, 'Content-Type: application/sdp'] : [];
        this.send(['SIP/2.0 200 OK', ...copied, ...described, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
      }
    }
  }

  // What the server offers again, a hold or its end, is taken as a telephone takes it: who may not send stops.
  follow(offer) {
    const answers = { sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' };
    const offered = offer.match(/^a=(sendrecv|sendonly|recvonly|inactive)\r$/m)?.[1] ?? 'sendrecv';
    this.mayTalk = offered === 'sendrecv' || offered === 'recvonly';
    return this.description({ direction: answers[offered] ?? 'sendrecv' });
  }

  get contact() {
    return `<sip:${this.user}@${this.host}:${this.signalling.address().port}${this.transport === 'udp' ? '' : `;transport=${this.transport}`}>`;
  }

  // Settled when it is in the server's socket.
  send(text) {
    return new Promise((resolve) => this.signalling.send(text, this.port, this.server, resolve));
  }

  request(method, sequence, { target, to, type, headers = [], body = '', branch = randomBytes(6).toString('hex') }) {
    const { port } = this.signalling.address();
    return this.send([
      `${method} ${target} SIP/2.0`, `Via: SIP/2.0/${this.transport.toUpperCase()} ${this.host}:${port};rport;branch=z9hG4bK${branch}`,
      'Max-Forwards: 70', `From: "${this.user}" <sip:${this.user}@${this.host}>;tag=${this.tag}`, `To: ${to}`, `Call-ID: ${this.callId}`,
      `CSeq: ${sequence} ${method}`, `Contact: ${this.contact}`, ...headers, ...(type ? [`Content-Type: ${type}`] : []),
      `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
  }

  description({ profile = 'RTP/AVP', direction = 'sendrecv' } = {}) {
    return [`v=0`, `o=- 1 1 IN IP4 ${this.address}`, 's=-', `c=IN IP4 ${this.address}`, 't=0 0',
      `m=audio ${this.media.address().port} ${profile} 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`, ''].join('\r\n');
  }

  // The final answer's status; a 200 is acknowledged, and with `talks` silence is sent as a phone does.
  async invite(target, body = this.description(), { talks = true, headers = [] } = {}) {
    this.target = target;
    this.request('INVITE', ++this.sequence, { target, to: `<${target}>`, type: 'application/sdp', headers, body });
    const mine = `${this.sequence} INVITE`;
    const final = await until(() => this.answers.find((answer) => answer.cseq === mine && answer.status >= 200), 10_000,
      () => JSON.stringify(this.answers));
    this.to = final.to;
    if (final.status === 200) this.target = final.contact.replace(/^.*<([^>]*)>.*$/, '$1');
    this.request('ACK', this.sequence, { target: this.target, to: this.to });
    if (final.status === 200 && talks) this.talk(Number(final.text.match(/^m=audio (\d+)/m)[1]), final.text.match(/^c=IN IP4 (\S+)/m)[1]);
    return final;
  }

  // An INVITE and, without a pause, its CANCEL; the final statuses of both. A call that was answered all the same is ended.
  async inviteAndCancel(target, sent) {
    const to = `<${target}>`;
    const branch = randomBytes(6).toString('hex');
    await Promise.all([
      this.request('INVITE', ++this.sequence, { target, to, branch, type: 'application/sdp', body: this.description() }),
      this.request('CANCEL', this.sequence, { target, to, branch }),
    ]);
    sent();
    const sequence = this.sequence;
    const final = (method) => until(() => this.answers.find((answer) => answer.cseq === `${sequence} ${method}` && answer.status >= 200),
      5000, () => JSON.stringify(this.answers));
    const [cancel, invite] = [await final('CANCEL'), await final('INVITE')];
    Object.assign(this, { target, to: invite.to });
    this.request('ACK', sequence, { target, to: invite.to, branch: invite.status === 200 ? undefined : branch });
    if (invite.status === 200) await this.hangup();
    return { cancel: cancel.status, invite: invite.status };
  }

  talk(port, address) {
    let count = 0;
    this.mayTalk = true;
    const packet = Buffer.alloc(172, 0xff); // PCMU silence
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(0, 1);
    packet.writeUInt32BE(0x1234567, 8);
    this.timer = setInterval(() => {
      packet.writeUInt16BE(count & 0xffff, 2);
      packet.writeUInt32BE((count++ * 160) >>> 0, 4);
      if (this.mayTalk) this.media.send(packet, port, address);
    }, 20).unref();
  }

  async within(method, options = {}) {
    this.request(method, ++this.sequence, { target: this.target, to: this.to, ...options });
    const mine = `${this.sequence} ${method}`;
    return until(() => this.answers.find((answer) => answer.cseq === mine && answer.status >= 200), 5000);
  }

  // Keys by SIP INFO, one at a time.
  async info(keys) {
    for (const key of keys) {
      const answer = await this.within('INFO', { type: 'application/dtmf-relay', body: `Signal=${key}\r\nDuration=160\r\n` });
      if (answer.status !== 200) throw new Error(`INFO refused: ${answer.status}`);
    }
  }

  ended(milliseconds = 10_000) {
    return until(() => this.requests.some((text) => text.startsWith('BYE')), milliseconds);
  }

  async hangup() {
    return this.within('BYE');
  }

  close() {
    clearInterval(this.timer);
    this.signalling.close();
    this.media.close();
  }
}
