// A vmrd of our own: free ports, a folder of its own, ended by its process id.
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, writeFileSync, readFileSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { started, until } from './until.mjs';

const source = process.env.VMR_SOURCE_ROOT ?? join(fileURLToPath(new URL('.', import.meta.url)), '../../..');
const build = process.env.VMR_BUILD_ROOT ?? join(source, 'build');
export const program = join(build, 'daemon/vmrd');
const crashes = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL']);
export const adminToken = 'end-to-end-administrator-token-0123456789';

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Whether anybody takes TCP connections there.
export const listens = (port) => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
  socket.once('connect', () => socket.destroy());
});

export class Vmrd {
  // `extra` is TOML: rooms, trunks, with FOLDER for the daemon's own; `mediaKeys` and `sipKeys`, too: of [media] and [sip].
  // `address`: where it listens; `within`: a command that runs it in a network of its own.
  static async start(extra, { address = '127.0.0.1', media = address, mediaKeys = '', sipKeys = '', within = [] } = {}) {
    const vmrd = new Vmrd();
    Object.assign(vmrd, { address, within });
    vmrd.folder = mkdtempSync(join(tmpdir(), 'vmr-e2e-'));
    vmrd.http = await freePort();
    vmrd.sip = await freePort();
    vmrd.sips = await freePort();
    vmrd.config = join(vmrd.folder, 'vmrd.toml');
    vmrd.records = join(vmrd.folder, 'calls.jsonl');
    await makeCertificate(vmrd.folder);
    writeFileSync(
      vmrd.config,
      `[http]
listen = ["${address}:${vmrd.http}"]
admin_token = "${adminToken}"
[sip]
udp = ["${address}:${vmrd.sip}"]
tcp = ["${address}:${vmrd.sip}"]
tls = ["${address}:${vmrd.sips}"]
certificate = "${vmrd.folder}/sip.crt"
key = "${vmrd.folder}/sip.key"
${sipKeys}
[media]
addresses = ["${media}"]
${mediaKeys}
[records]
path = "${vmrd.records}"
${extra.replaceAll('FOLDER', vmrd.folder)}`,
    );
    await vmrd.run();
    return vmrd;
  }

  async run() {
    this.output = '';
    const [command, ...options] = [...this.within, program, '--config', this.config, '--pipelines', join(source, 'pipelines')];
    this.process = spawn(command, options, {
      env: {
        ...process.env,
        GST_PLUGIN_PATH: join(build, 'plugins'),
        GST_REGISTRY: join(tmpdir(), `vmr-e2e-registry-${process.pid}.bin`),
        MALLOC_ARENA_MAX: '2',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (data) => (this.output += data);
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => {
      if (crashes.has(signal) && process.env.VMR_CRASH_MARK) appendFileSync(process.env.VMR_CRASH_MARK, `${signal}\n`);
      resolve(code ?? signal);
    }));
    await started(this.process, () => this.output.includes('vmr is running') || !this.alive(), 30_000, () => this.output);
    if (!this.alive()) throw new Error(`vmrd ended at once:\n${this.output}`);
  }

  get url() {
    return `http://${this.address}:${this.http}`;
  }

  sipUri(user) {
    return `sip:${user}@${this.address}:${this.sip}`;
  }

  sipsUri(user) {
    return `sip:${user}@${this.address}:${this.sips};transport=tls`;
  }

  async api(method, path, body, token = adminToken) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  async participants(room) {
    return (await this.api('GET', `/rooms/${room}/participants`)).body.participants;
  }

  async participant(room, name) {
    return (await this.participants(room)).find((one) => one.name === name);
  }

  // Somebody of this name, once in the room.
  joined(room, name) {
    return until(async () => {
      const found = await this.participant(room, name);
      return found?.state === 'in_room' && found;
    }, 10_000, async () => JSON.stringify(await this.participants(room)) + this.output.slice(-1000));
  }

  async emptied(...rooms) {
    for (const room of rooms) {
      await until(async () => (await this.participants(room)).length === 0, 15_000, () => this.output.slice(-1000));
    }
  }

  calls() {
    if (!existsSync(this.records)) return [];
    return readFileSync(this.records, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  // What must not grow: threads, descriptors, memory in KB.
  usage() {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    const number = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
    return {
      threads: number('Threads'),
      memory: process.env.ASAN_OPTIONS ? 0 : number('VmRSS'), // a sanitizer keeps what is freed
      descriptors: readdirSync(`/proc/${this.process.pid}/fd`).length,
    };
  }

  // The UDP ports that it has open for media.
  mediaPorts() {
    const folder = `/proc/${this.process.pid}/fd`;
    const sockets = new Set(readdirSync(folder).map((name) => {
      try {
        return readlinkSync(join(folder, name)).match(/^socket:\[(\d+)\]/)?.[1];
      } catch {
        return undefined; // closed meanwhile
      }
    }));
    const lines = readFileSync('/proc/net/udp', 'utf8').split('\n').slice(1).filter(Boolean).map((line) => line.trim().split(/\s+/));
    return lines.filter((fields) => sockets.has(fields[9])).map((fields) => Number.parseInt(fields[1].split(':')[1], 16))
      .filter((port) => port !== this.sip);
  }

  alive() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(signal = 'SIGTERM') {
    if (this.alive()) {
      this.process.kill(signal);
      const killer = setTimeout(() => this.process.kill('SIGKILL'), 25_000);
      await this.exited;
      clearTimeout(killer);
    }
    return this.exited;
  }
}

async function makeCertificate(folder) {
  const openssl = spawn('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'sip.key'), '-out', join(folder, 'sip.crt'),
  ], { stdio: 'ignore' });
  const code = await new Promise((resolve) => openssl.once('exit', resolve));
  if (code !== 0) throw new Error('openssl made no certificate');
  // As baresip wants it.
  writeFileSync(join(folder, 'both.pem'), readFileSync(join(folder, 'sip.key'), 'utf8') + readFileSync(join(folder, 'sip.crt'), 'utf8'));
}
