// linphone as a SIP client: it plays a sound file, sends its "no webcam" picture, and records what it hears.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './vmrd.mjs';
import { levels, readRecording, writeTone } from './sound.mjs';
import { started, until } from './until.mjs';

const running = new Set();
process.on('exit', () => running.forEach((one) => one.process.kill('SIGKILL')));

export const orange = [253, 170, 60]; // the cross in its picture

export class Linphone {
  static async start({ name = 'linphone', transport = 'tls', encryption = 'srtp', frequency = 1000, trusted = '', video = false } = {}) {
    const phone = new Linphone();
    phone.folder = mkdtempSync(join(tmpdir(), 'vmr-linphone-'));
    phone.heard = join(phone.folder, 'heard.wav');
    mkdirSync(join(phone.folder, '.local/share/linphone'), { recursive: true });
    const played = writeTone(join(phone.folder, 'tone.wav'), frequency, 120);
    const port = await freePort();
    const ports = Object.fromEntries(['udp', 'tcp', 'tls'].map((kind) => [kind, kind === transport ? port : 0]));
    writeFileSync(join(phone.folder, 'rc'), `[sip]
sip_port=${ports.udp}
sip_tcp_port=${ports.tcp}
sip_tls_port=${ports.tls}
contact=sip:${name.toLowerCase()}@127.0.0.1
media_encryption=${encryption}
media_encryption_mandatory=${encryption === 'none' ? 0 : 1}
${trusted ? `root_ca=${trusted}` : ''}
ping_with_options=0
use_ipv6=0
bind_address=127.0.0.1
guess_hostname=0
[net]
firewall_policy=0
[rtp]
audio_rtp_port=-1
video_rtp_port=-1
[sound]
echocancellation=0
[video]
enabled=${video ? 1 : 0}
capture=${video ? 1 : 0}
display=0
device=StaticImage: Static picture
automatically_initiate=${video ? 1 : 0}
automatically_accept=${video ? 1 : 0}
size=cif
`);
    phone.process = spawn('linphonec', ['-c', join(phone.folder, 'rc'), ...(video ? ['-C'] : []), '-d', '6', '-l', join(phone.folder, 'log')],
      { cwd: phone.folder, env: { ...process.env, HOME: phone.folder }, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(phone);
    phone.output = '';
    for (const stream of [phone.process.stdout, phone.process.stderr]) stream.on('data', (data) => (phone.output += data));
    phone.exited = new Promise((resolve) => phone.process.once('exit', resolve)).finally(() => running.delete(phone));
    await started(phone.process, () => phone.output.includes('linphonec>'), 30_000, () => phone.output);
    phone.command('soundcard use files');
    phone.command(`play ${played}`);
    phone.command(`record ${phone.heard}`);
    return phone;
  }

  command(line) {
    this.process.stdin.write(`${line}\n`);
  }

  async dial(uri) {
    this.command(`call ${uri}`);
    await until(() => /Call \d+ with .* (connected|error|ended)|Media streams established|error/i.test(this.output), 15_000, () => this.output);
  }

  established() {
    return /connected|Media streams established/i.test(this.output);
  }

  hears(these, those = [], milliseconds = 15_000) {
    let last;
    return until(() => {
      const sound = existsSync(this.heard) ? readRecording(this.heard) : null;
      last = sound ? levels(sound, [...these, ...those]) : [];
      return last.length && last.slice(0, these.length).every((level) => level > -50) &&
        last.slice(these.length).every((level) => level < -60);
    }, milliseconds, () => `${[...these, ...those]} Hz at ${last} dB\n${this.output.slice(-1500)}`);
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.command('terminate all');
      this.command('quit');
      const killer = setTimeout(() => this.process.kill('SIGKILL'), 5000);
      await this.exited;
      clearTimeout(killer);
    }
  }
}
