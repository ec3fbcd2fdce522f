// A server in a cloud: a network of its own behind a one-to-one NAT, which leaves ports alone. For tests that run.mjs gives
// a network of their own; that is the world outside. Who is far (`far`) reaches its UDP ports by its outer address alone.
import { execFileSync, spawn } from 'node:child_process';
import { until } from './until.mjs';

export const inner = '10.0.0.5', outer = '203.0.113.7', near = '10.0.0.1', far = '198.51.100.9';

const ip = (line) => execFileSync('ip', line.split(' '));
const routes = () => {
  ip(`route replace ${inner}/32 dev cloud`);
  ip(`route replace ${outer}/32 via ${inner} src ${far}`);
};

export class Cloud {
  static async start() {
    const cloud = new Cloud();
    cloud.holder = spawn('unshare', ['-n', 'sh', '-c', 'echo up; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await until(() => cloud.holder.stdout.read()?.toString().includes('up'), 5000);
    cloud.within = ['nsenter', '-t', String(cloud.holder.pid), '-n'];
    const inside = (program, ...options) => execFileSync(cloud.within[0], [...cloud.within.slice(1), program, ...options]);
    ip('link add world type veth peer name beyond');
    ip(`address add ${far}/24 dev world`);
    for (const end of ['world', 'beyond']) ip(`link set ${end} up`);
    ip(`link add cloud type veth peer name eth0 netns ${cloud.holder.pid}`);
    ip(`address add ${near}/24 dev cloud`);
    ip('link set cloud up');
    for (const line of ['link set lo up', `address add ${inner}/24 dev eth0`, 'link set eth0 up', 'route add default dev eth0']) inside('ip', ...line.split(' '));
    routes();
    execFileSync(cloud.within[0], [...cloud.within.slice(1), 'nft', '-f', '-'], { input: `table ip nat {
  chain wall { type filter hook prerouting priority raw; ip saddr ${far} ip daddr ${inner} meta l4proto udp drop; }
  chain arriving { type nat hook prerouting priority dstnat; ip daddr ${outer} dnat to ${inner}; }
  chain leaving { type nat hook postrouting priority srcnat; ip daddr != 10.0.0.0/24 oifname eth0 snat to ${outer}; }
}
` });
    return cloud;
  }

  // Nobody is near any more: what tries all its addresses, as an agent of ICE does, has but the far one.
  leaveNear() {
    ip(`address delete ${near}/24 dev cloud`);
    routes(); // the address took them along
  }

  async stop() {
    this.holder.stdin.end(); // the network goes with who is in it
  }
}
