// A provider: Kamailio as registrar and proxy that asks for digest. Who registers gets the calls to its numbers, with the
// contact that it registered as Request-URI; what it calls goes to `callee`. Foreground, on loopback; it can be stopped and run again at the same port.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modules, start } from './edge_proxy.mjs';
import { started } from './until.mjs';
import { freePort, listens } from './vmrd.mjs';

export const account = '1234567', numbers = ['+4930555', '+4930556'], password = 'correct horse battery', domain = 'provider.example';

const configuration = ({ port, callee }) => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
alias="${domain}"
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
mpath="${modules().join(':')}"
${['tm', 'tmx', 'sl', 'pv', 'rr', 'maxfwd', 'siputils', 'textops', 'usrloc', 'registrar', 'auth'].map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("rr", "enable_double_rr", 1)
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    # Who registers comes by TCP, and shows its password with each request.
    if ($proto == "tcp" && !is_method("ACK")) {
      if (!pv_proxy_authenticate("${domain}", "${password}", "0")) { proxy_challenge("${domain}", "1"); exit; }
      consume_credentials();
    }
    if (loose_route()) { t_relay(); }
    else if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } }
    else { sl_send_reply("404", "Not Here"); }
    exit;
  }
  t_check_trans();
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER")) {
    if ($au != "${account}" || !pv_www_authenticate("${domain}", "${password}", "0")) { www_challenge("${domain}", "1"); exit; }
    if (!save("location")) { sl_reply_error(); }
    exit;
  }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  if (${numbers.map((number) => `$rU == "${number}"`).join(' || ')}) {
    $ru = "sip:${account}@${domain}";
    if (!lookup("location")) { sl_send_reply("480", "Not Registered"); exit; }
    t_relay();
    exit;
  }
  if ($au != "${account}" || !pv_proxy_authenticate("${domain}", "${password}", "0")) { proxy_challenge("${domain}", "1"); exit; }
  consume_credentials();
  $ru = "${callee}";
  t_relay();
  exit;
}
`;

export class Provider {
  static async start(callee) {
    const provider = new Provider();
    provider.folder = mkdtempSync(join(tmpdir(), 'vmr-provider-'));
    provider.port = await freePort();
    provider.file = join(provider.folder, 'kamailio.cfg');
    writeFileSync(provider.file, configuration({ port: provider.port, callee }));
    await provider.run();
    return provider;
  }

  async run() {
    this.process = start('kamailio', ['-DD', '-E', '-m', '64', '-f', this.file, '-Y', this.folder, '-w', this.folder], this.folder);
    await started(this.process, () => listens(this.port), 20_000, () => this.output);
  }

  get output() {
    return this.process.output.slice(-3000);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.process.exited;
  }
}
