// An edge proxy as operators run it: Kamailio takes calls by UDP, hands them on by TCP and stays in the dialog; rtpengine
// stands in the media path. Both on loopback, in the foreground.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, listens } from './vmrd.mjs';
import { started } from './until.mjs';

const running = new Set();
process.on('exit', () => running.forEach((one) => one.kill('SIGKILL')));

export const modules = () => readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/kamailio/modules`).filter(existsSync);

const configuration = ({ port, control, next }) => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
tcp_connection_lifetime=5
auto_aliases=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
mpath="${modules().join(':')}"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "rtpengine.so"
modparam("rr", "enable_double_rr", 1)
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:${control}")
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (loose_route()) { route(RELAY); }
    else if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } }
    else { sl_send_reply("404", "Not Here"); }
    exit;
  }
  t_check_trans();
  if (is_method("INVITE|SUBSCRIBE")) { record_route(); }
  $du = "sip:127.0.0.1:${next};transport=tcp";
  route(RELAY);
}
route[RELAY] {
  if (is_method("INVITE|ACK|BYE|UPDATE")) { rtpengine_manage("replace-origin replace-session-connection"); }
  t_on_reply("MEDIA");
  t_relay();
  exit;
}
onreply_route[MEDIA] { rtpengine_manage("replace-origin replace-session-connection"); }
`;

export function start(program, options, cwd) {
  const child = spawn(program, options, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
  child.exited = new Promise((resolve) => child.once('exit', resolve)).finally(() => running.delete(child));
  return child;
}

export class EdgeProxy {
  static async start(next) {
    const proxy = new EdgeProxy();
    proxy.next = next;
    proxy.folder = mkdtempSync(join(tmpdir(), 'vmr-edge-'));
    proxy.port = await freePort();
    const control = await freePort();
    proxy.media = start('rtpengine', ['--foreground', '--log-stderr', '--table=-1', '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${control}`, '--port-min=34000', '--port-max=34999', '--log-level=6'], proxy.folder);
    await started(proxy.media, () => proxy.media.output.includes('Startup complete'), 20_000, () => proxy.media.output);
    const file = join(proxy.folder, 'kamailio.cfg');
    writeFileSync(file, configuration({ port: proxy.port, control, next }));
    proxy.signalling = start('kamailio', ['-DD', '-E', '-m', '64', '-f', file, '-Y', proxy.folder, '-w', proxy.folder], proxy.folder);
    await started(proxy.signalling, () => listens(proxy.port), 20_000, () => proxy.output).catch((error) => {
      proxy.media.kill('SIGKILL');
      throw error;
    });
    return proxy;
  }

  get output() {
    return this.signalling.output.slice(-2000) + this.media.output.slice(-2000);
  }

  // To where it hands calls on; it closes one over which nothing went for 5 s.
  connections() {
    const port = this.next.toString(16).toUpperCase().padStart(4, '0');
    return readFileSync('/proc/net/tcp', 'utf8').split('\n')
      .filter((line) => new RegExp(`^ *\\d+: \\S+:${port} \\S+ 01 `).test(line)).length;
  }

  uri(room) {
    return `sip:${room}@127.0.0.1:${this.port}`;
  }

  async stop() {
    this.signalling.kill('SIGTERM');
    await this.signalling.exited;
    this.media.kill('SIGKILL');
    await this.media.exited;
  }
}
