// sipp plays a scenario: what a real client does on demand only. The messages that went each way are kept for the test.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeMuLaw } from './sound.mjs';
import { freePort } from './vmrd.mjs';

const running = new Set();
process.on('exit', () => running.forEach((one) => one.kill('SIGKILL')));

// G.711 alone; `refuses` the rest of the server's offer, as an answer to it must.
const rest = ['m=video 0 RTP/AVP 97', 'm=video 0 RTP/AVP 97', 'm=application 0 UDP/BFCP *'];
const description = (refuses) => ['v=0', 'o=sipp 1 1 IN IP4 [media_ip]', 's=-', 'c=IN IP4 [media_ip]', 't=0 0',
  'm=audio [media_port] RTP/AVP 0', 'a=sendrecv', ...(refuses ? rest : []), ''].join('\n');

// A step that sends: in a dialog (after the first answer) the target and To are the peer's.
export function send(method, { headers = [], sdp = false, refuses = false, dialog = true, cseq = '[cseq]', branch = '[branch]', auth = '' } = {}) {
  const repeats = method === 'ACK' ? '' : ' retrans="500"';
  return `<send${repeats}><![CDATA[\n${[
    `${method} ${dialog ? '[next_url]' : 'sip:[service]@[remote_ip]:[remote_port]'} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch}`,
    'From: "sipp" <sip:USER@[local_ip]>;tag=[pid]x[call_number]',
    `To: <sip:[service]@[remote_ip]>${dialog ? '[peer_tag_param]' : ''}`, 'Call-ID: [call_id]', `CSeq: ${cseq} ${method}`,
    'Contact: <sip:sipp@[local_ip]:[local_port]>', 'Max-Forwards: 70', ...(auth ? [auth] : []), ...headers,
    ...(sdp ? ['Content-Type: application/sdp'] : []), 'Content-Length: [len]', '', sdp ? description(refuses) : '',
  ].join('\n')}\n]]></send>\n`;
}

export const recv = (status) => `<recv response="${status}" rrs="true"/>\n`;
export const maybe = (status) => `<recv response="${status}" optional="true"/>\n`;
// A reliable provisional answer, and its PRACK (RFC 3262).
const find = (name, variable, what = '.*') => `<ereg regexp="${what}" search_in="hdr" header="${name}:" assign_to="${variable}"/>`;
export const ringsReliably = `<recv response="180" rrs="true"><action>${find('RSeq', 'rseq', '[0-9]+')}</action></recv>\n` +
  send('PRACK', { headers: ['RAck: [$rseq] 1 INVITE'] });

// The same for a sipp that is called: the INVITE that begins it, answers to it and to others, requests of its own.
export const invited = `<recv request="INVITE" rrs="true"><action>${find('Via', 'via')}${find('CSeq', 'cseq')}${find('From', 'caller')}` +
  `${find('To', 'callee')}</action></recv>\n`;
export const called = (method) => `<recv request="${method}"/>\n`;
const tag = ';tag=[pid]x[call_number]';
const rests = (sdp, refuses) => (sdp ? ['Content-Type: application/sdp', 'Content-Length: [len]', '', description(refuses)] : ['Content-Length: 0', '', '']);
export function answer(status, { headers = [], sdp = false } = {}) {
  return `<send><![CDATA[\n${[`SIP/2.0 ${status}`, 'Via:[$via]', 'From:[$caller]', `To:[$callee]${tag}`, 'Call-ID: [call_id]', 'CSeq:[$cseq]',
    'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>', ...headers, ...rests(sdp, true)].join('\n')}\n]]></send>\n`;
}
export function answerLast(status, { headers = [], sdp = false } = {}) {
  return `<send><![CDATA[\n${[`SIP/2.0 ${status}`, ...['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `[last_${name}:]`),
    'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>', ...headers, ...rests(sdp, true)].join('\n')}\n]]></send>\n`;
}
export function ask(method, { cseq = 1, headers = [], sdp = false } = {}) {
  return `<send><![CDATA[\n${[`${method} [next_url] SIP/2.0`, 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    `From:[$callee]${tag}`, 'To:[$caller]', 'Call-ID: [call_id]', `CSeq: ${cseq} ${method}`,
    'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>', 'Max-Forwards: 70', ...headers, ...rests(sdp, true)].join('\n')}\n]]></send>\n`;
}

// Sends a tone of `frequency` Hz as PCMU from now on.
export const talk = '<nop><action><exec rtp_stream="tone,-1,0"/></action></nop>\n';

// Waits for the peer's BYE, and answers it.
export const bye = `<recv request="BYE"/>\n<send><![CDATA[\n${['SIP/2.0 200 OK', ...['Via', 'From', 'To', 'Call-ID', 'CSeq']
  .map((name) => `[last_${name}:]`), 'Content-Length: 0', '', ''].join('\n')}\n]]></send>\n`;

export class Sipp {
  // Runs `steps` against `service`; `exited` is sipp's exit code: 0 if every step went as it says.
  static async start(vmrd, service, steps, { user = 'sipp', transport = 'u1', address = '127.0.0.1', frequency = 1000, called = false } = {}) {
    const one = new Sipp();
    one.folder = mkdtempSync(join(tmpdir(), 'vmr-sipp-'));
    writeFileSync(join(one.folder, 'scenario.xml'), `<?xml version="1.0"?>\n<scenario name="test">\n` +
      `${steps.join('').replaceAll('USER', user)}</scenario>\n`);
    writeMuLaw(join(one.folder, 'tone'), frequency, 1);
    const media = await freePort(), port = await freePort();
    one.port = port;
    one.uri = `sip:${service}@${address}:${port};transport=${transport === 'u1' ? 'udp' : 'tcp'}`;
    one.process = spawn('sipp', ['-sf', 'scenario.xml', '-s', service, '-t', transport, '-i', address, '-p', String(port),
      '-mi', address, '-mp', String(media), '-m', '1', '-nostdin', '-timeout', '15s', '-timeout_error',
      '-trace_msg', '-message_file', 'messages', '-trace_err', '-error_file', 'errors',
      ...(called ? [] : [`127.0.0.1:${vmrd.sip}`])], { cwd: one.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(one.process);
    one.output = '';
    one.process.stderr.on('data', (data) => (one.output += data));
    one.exited = new Promise((resolve) => one.process.once('exit', (code, signal) => resolve(code ?? signal)))
      .finally(() => running.delete(one.process));
    return one;
  }

  // To its end; throws unless everything went as the scenario says.
  static async run(...options) {
    const one = await Sipp.start(...options);
    const code = await one.exited;
    if (code !== 0) throw new Error(`sipp ended with ${code}\n${one.output}${one.read('errors')}\n${one.read('messages').slice(-4000)}`);
    return one;
  }

  async stop() {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  // Whether it can be called by now.
  listening() {
    const port = `:${this.port.toString(16).toUpperCase().padStart(4, '0')} `;
    return ['udp', 'tcp'].some((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').split('\n').some((line) => line.split(' rem')[0].includes(port) && !line.includes(' 01 ')));
  }

  read(name) {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  // What came in, in order: the text of each message, once however often it came (a machine that stands still for 500 ms
  // makes the other side repeat it).
  received() {
    const all = [...this.read('messages').matchAll(/message received \[\d+\] bytes :\s*\n\n([\s\S]*?)(?=\n-{10,}|$)/g)].map((match) => match[1]);
    return [...new Set(all)];
  }

  requests(method) {
    return this.received().filter((text) => text.startsWith(`${method} `));
  }

  answers(status, method) {
    return this.received().filter((text) => text.startsWith(`SIP/2.0 ${status} `) && new RegExp(`^CSeq: \\d+ ${method}\\s*$`, 'm').test(text));
  }
}

export const header = (text, name) => text.match(new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'mi'))?.[1] ?? '';
