// baresip as a SIP room system or a telephone: it plays a tone, records what it hears, and is steered by its keyboard.
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './vmrd.mjs';
import { pictureShares } from './picture.mjs';
import { levels, readRecording } from './sound.mjs';
import { started, until } from './until.mjs';

const running = new Set();
process.on('exit', () => running.forEach((one) => one.process.kill('SIGKILL')));

export class Baresip {
  // address: where SIP comes from; media always comes from 127.0.0.1, as its description says (baresip does not bind it).
  // modules: codecs; frequency: Hz of the tone sent, or `file`: a WAV to play instead (8 kHz for G.711).
  // registers: {domain, proxy, secret, expires}: at a registrar, and calls through it.
  // mediaAddress: where media comes from instead, for ICE, which leaves 127.0.0.1 out.
  // settings: further lines of its configuration.
  // video: 'vp8' or 'h264', or none. answers: takes calls by itself; certificate: PEM with its key, for TLS from others.
  static async start(options) {
    for (;;) {
      const phone = await Baresip.attempt(options);
      if (phone) return phone;
    }
  }

  // Null: somebody else was quicker to take the port, or the one above it.
  static async attempt({ name = 'baresip', transport = 'udp', encryption = '', codecs = 'pcmu', modules = ['g711'],
    frequency = 1000, file = '', video = '', trusted = '', account = '', address = '127.0.0.1', answers, certificate = '', registers,
    mediaAddress = '127.0.0.1', settings = [] } = {}) {
    const phone = new Baresip();
    phone.folder = mkdtempSync(join(tmpdir(), 'vmr-baresip-'));
    phone.sounds = join(phone.folder, 'sounds');
    mkdirSync(phone.sounds);
    const port = await freePort();
    phone.user = name.toLowerCase();
    phone.address = `${address}:${port + (transport === 'tls' ? 1 : 0)};transport=${transport}`; // baresip's TLS is one above
    const used = ['stdio', ...modules, file ? 'aufile' : 'ausine', 'sndfile', 'srtp', 'dtls_srtp'];
    if (video) used.push(video === 'h264' ? 'avcodec' : 'vp8', 'fakevideo', 'snapshot');
    const rate = file ? 8000 : 48000;
    writeFileSync(join(phone.folder, 'config'), [
      `sip_listen ${address}:${port}`, trusted && `sip_cafile ${trusted}`, certificate && `sip_certificate ${certificate}`, `net_interface ${mediaAddress}`, 'call_max_calls 4',
      `audio_source ${file ? `aufile,${file}` : `ausine,${frequency}`}`, 'audio_player nil,nil',
      `ausrc_srate ${rate}`, `ausrc_channels ${file ? 1 : 2}`, 'audio_level no', 'rtp_stats yes', `snd_path ${phone.sounds}`,
      'module_path /usr/lib/baresip/modules', ...used.map((module) => `module ${module}.so`),
      ...settings, ...(registers ? ['module_tmp uuid.so'] : []), 'module_tmp account.so', 'module_app menu.so',
      ...(video ? ['video_source fakevideo,nil', 'video_display fakevideo,nil', 'video_size 320x240', 'video_fps 15',
        'video_bitrate 300000', 'videnc_format yuv420p'] : []),
    ].filter(Boolean).join('\n') + '\n');
    writeFileSync(join(phone.folder, 'accounts'), `"${name}" <sip:${name.toLowerCase()}@${registers?.domain ?? address};transport=${transport}>;` +
      (registers ? `regint=${registers.expires ?? 600};outbound="${registers.proxy}";sipnat=outbound;auth_pass=${registers.secret};` : 'regint=0;') +
      `audio_codecs=${codecs}${video && `;video_codecs=${video}`}${encryption && `;mediaenc=${encryption}`}${account && `;${account}`}${answers ? ';answermode=auto' : ''}\n`);
    writeFileSync(join(phone.folder, 'contacts'), '');
    phone.process = spawn('baresip', ['-4', '-f', phone.folder], { cwd: phone.folder, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(phone);
    phone.output = '';
    phone.pictures = 0;
    for (const stream of [phone.process.stdout, phone.process.stderr]) stream.on('data', (data) => (phone.output += data));
    phone.exited = new Promise((resolve) => phone.process.once('exit', resolve)).finally(() => running.delete(phone));
    const taken = () => phone.output.includes('Address already in use');
    await started(phone.process, () => phone.output.includes('baresip is ready') || taken(), 20_000, () => phone.output);
    if (!taken()) return phone;
    phone.process.kill('SIGKILL');
    await phone.exited;
    return null;
  }

  command(line) {
    this.process.stdin.write(`/${line}\n`);
  }

  // Where it takes calls.
  uri() {
    return `sip:${this.user}@${this.address}`;
  }

  // Calls, and comes back once the call is up or has failed.
  async dial(uri) {
    this.output = '';
    this.command(`dial ${uri}`);
    await until(() => /Call established|session closed|terminated|Peer rejected|failed/.test(this.output), 15_000, () => this.output);
    return this;
  }

  established() {
    return this.output.includes('Call established');
  }

  ended(milliseconds = 15_000) {
    return until(() => /session closed|terminated \(duration/.test(this.output), milliseconds, () => this.output.slice(-2000));
  }

  // Keys as a person presses them: one begins when the one before has ended (RFC 4733: its end goes out three times, in
  // 60 ms; baresip says every 100 ms how the call goes).
  async press(keys) {
    for (const key of keys) {
      const from = this.output.length;
      this.process.stdin.write(key);
      await until(() => {
        const [, after] = this.output.slice(from).split(`send DTMF digit end: '${key}'`);
        return after?.match(/ audio=\d+\/\d+ /g)?.length >= 2;
      }, 5000, () => this.output.slice(from));
    }
  }

  // The newest recording of what came from the peer.
  recording() {
    const names = readdirSync(this.sounds).filter((name) => name.endsWith('-dec.wav')).sort();
    return names.length ? readRecording(join(this.sounds, names.at(-1))) : null;
  }

  // Levels in dB of full scale over the last second heard.
  tones(frequencies) {
    const sound = this.recording();
    return sound ? levels(sound, frequencies) : frequencies.map(() => -200);
  }

  // Bits a second that arrive now. baresip does not go on recording after a hold.
  receives(enough, milliseconds = 10_000) {
    const from = this.output.length;
    return until(() => {
      const last = [...this.output.slice(from).matchAll(/audio=\d+\/(\d+) /g)].at(-1);
      return last && enough(Number(last[1]));
    }, milliseconds, () => this.output.slice(-300));
  }

  hears(these, those = [], milliseconds = 15_000) {
    let last;
    return until(() => {
      last = this.tones([...these, ...those]);
      return last.slice(0, these.length).every((level) => level > -50) && last.slice(these.length).every((level) => level < -60);
    }, milliseconds, () => `${[...these, ...those]} Hz at ${last} dB\n${this.output.slice(-1500)}`);
  }

  // Tenths of a second since sample `from` that have sound in them: 1, or not: 0.
  sounding(from) {
    const { rate, samples } = this.recording();
    const tenth = rate / 10;
    const parts = [];
    for (let at = from; at + tenth <= samples.length; at += tenth) {
      const energy = samples.subarray(at, at + tenth).reduce((sum, sample) => sum + sample * sample, 0) / tenth;
      parts.push(Math.sqrt(energy) > 0.005 ? 1 : 0);
    }
    return parts;
  }

  // Until a second and a half without sound.
  quiet(milliseconds = 40_000) {
    const from = this.recording().samples.length;
    return until(() => {
      const last = this.sounding(from).slice(-15);
      return last.length === 15 && !last.includes(1);
    }, milliseconds, () => this.output.slice(-800));
  }

  // A voice: so many seconds of sound since sample `from`, with pauses and then silence.
  async hearsSpeech(from, least, most, milliseconds = 30_000) {
    let parts = [];
    const sounds = () => parts.reduce((sum, part) => sum + part, 0);
    await until(() => {
      parts = this.sounding(from);
      return sounds() >= least * 10 && !parts.slice(-10).includes(1);
    }, milliseconds, () => `${sounds() / 10} s of sound: ${parts.join('')}`);
    if (sounds() > most * 10) throw new Error(`${sounds() / 10} s of sound: ${parts.join('')}`);
  }

  // The lowest level of `frequency` in any half second since sample `from`, by its best tenth: shorter gaps come with a
  // busy machine.
  quietest(frequency, from) {
    const { rate, samples } = this.recording();
    const tenth = rate / 10;
    let lowest = 0;
    for (let at = from; at + 5 * tenth <= samples.length; at += 5 * tenth) {
      const parts = [0, 1, 2, 3, 4].map((i) => samples.subarray(at + i * tenth, at + (i + 1) * tenth));
      lowest = Math.min(lowest, Math.max(...parts.map((part) => levels({ rate, samples: part }, [frequency], 0.1)[0])));
    }
    return lowest;
  }

  // The level of a tone that was always there since sample `from`: the lower quartile of the tenths of a second. Speech and
  // music come and go.
  steadiest(frequency, from) {
    const { rate, samples } = this.recording();
    const tenth = rate / 10;
    const parts = Array.from({ length: Math.floor((samples.length - from) / tenth) }, (_, i) =>
      levels({ rate, samples: samples.subarray(from + i * tenth, from + (i + 1) * tenth) }, [frequency], 0.1)[0]);
    return parts.sort((a, b) => a - b)[Math.floor(parts.length / 4)];
  }

  // Share (0..1) of the received picture that has each colour.
  async sees(colours) {
    const picture = join(this.folder, `seen-${++this.pictures}`);
    this.command(`snapshot_recv ${picture}`);
    await until(() => this.output.includes(`wrote ${picture}`), 5000, () => this.output.slice(-1500));
    return pictureShares(picture, colours);
  }

  kill() {
    this.process.kill('SIGKILL');
    return this.exited;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      const killer = setTimeout(() => this.process.kill('SIGKILL'), 4000);
      await this.exited;
      clearTimeout(killer);
    }
  }
}
