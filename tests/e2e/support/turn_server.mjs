// A coturn of our own on loopback, with time-limited credentials from a shared secret (use-auth-secret).
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, listens } from './vmrd.mjs';
import { started } from './until.mjs';

const running = new Set();
process.on('exit', () => running.forEach((one) => one.kill('SIGKILL')));

export class TurnServer {
  static async start(secret) {
    const server = new TurnServer();
    server.port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'vmr-turn-'));
    server.process = spawn('turnserver', ['-n', '--log-file=stdout', '--simple-log', '--verbose', '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1', `--listening-port=${server.port}`, '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=vmr',
      '--allow-loopback-peers', '--no-tls', '--no-dtls', '--no-cli', `--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'db')}`],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(server.process);
    server.output = '';
    for (const stream of [server.process.stdout, server.process.stderr]) stream.on('data', (data) => (server.output += data));
    server.exited = new Promise((resolve) => server.process.once('exit', resolve)).finally(() => running.delete(server.process));
    await started(server.process, () => listens(server.port), 20_000, () => server.output);
    return server;
  }

  url(transport = 'udp') {
    return `turn:127.0.0.1:${this.port}?transport=${transport}`;
  }

  stop() {
    this.process.kill('SIGKILL');
    return this.exited;
  }
}
