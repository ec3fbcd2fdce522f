// A SIP callee that answers each INVITE as its script says, over UDP: a status, or "status sdp" with a description.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const phrases = { 180: 'Ringing', 183: 'Session Progress', 200: 'OK', 302: 'Moved', 404: 'Not Found', 407: 'Proxy Authentication Required',
  486: 'Busy Here', 487: 'Request Terminated', 603: 'Decline' };

export class Callee {
  static async start(script, { address = '127.0.0.1', port = 0 } = {}) {
    const callee = new Callee();
    callee.script = script;
    callee.received = [];
    callee.answered = new Map(); // by branch: retransmissions get the same again
    callee.socket = createSocket('udp4');
    callee.media = createSocket('udp4').bind(0, address); // where media may come; it is not listened to
    callee.socket.on('message', (data, from) => callee.take(data.toString(), from));
    callee.socket.bind(port, address);
    await Promise.all([once(callee.socket, 'listening'), once(callee.media, 'listening')]);
    callee.uri = `sip:bob@${address}:${callee.socket.address().port}`;
    callee.address = address;
    return callee;
  }

  take(text, from) {
    const [method] = text.split(' ');
    if (method === 'SIP/2.0' || method === 'ACK') return;
    const branch = /branch=([^;\s]+)/.exec(text)[1] + method;
    if (!this.answered.has(branch)) {
      this.received.push(text);
      this.answered.set(branch, this.answers(method, text));
    }
    for (const answer of this.answered.get(branch)) this.socket.send(answer, from.port, from.address);
  }

  answers(method, text) {
    if (method === 'CANCEL') return [this.write(text, '200'), this.write(this.invite, '487')];
    if (method !== 'INVITE') return [this.write(text, '200')];
    this.invite = text;
    if (this.script[0] !== '407') return this.script.map((step) => this.write(text, step));
    return [this.write(text, this.script.shift(), ['Proxy-Authenticate: Digest realm="gateway", nonce="n", algorithm=MD5, qop="auth"'])];
  }

  write(request, step, more = []) {
    const [status, described] = step.split(' ');
    const copied = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line));
    const to = /^To: .*$/m.exec(request)[0].trim();
    const refused = (request.match(/^m=.*$/gm) ?? []).slice(1).map((line) => line.trim().replace(/ \d+ /, ' 0 '));
    const protocol = /^m=audio \d+ (\S+)/m.exec(request)?.[1] ?? 'RTP/AVP';
    const sdp = described ? ['v=0', `o=- 1 1 IN IP4 ${this.address}`, 's=-', `c=IN IP4 ${this.address}`, 't=0 0',
      `m=audio ${this.media.address().port} ${protocol} 0`, ...refused, ''].join('\r\n') : '';
    return [`SIP/2.0 ${status} ${phrases[status]}`, ...copied, /;tag=/.test(to) ? to : `${to};tag=callee`,
      `Contact: <sip:bob@${this.address}:${this.socket.address().port}>`, ...more,
      ...(sdp ? ['Content-Type: application/sdp'] : []), `Content-Length: ${Buffer.byteLength(sdp)}`, '', sdp].join('\r\n');
  }

  async stop() {
    this.socket.close();
    this.media.close();
  }
}
