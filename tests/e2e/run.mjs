// Runs one end-to-end test file, a second time if it fails; on the first run, or when that has changed, installs what the tests need (npm ci).
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = fileURLToPath(new URL('.', import.meta.url));
const kAttempt = 840_000;  // milliseconds; meson allows two

// Its exit status. What a failed test left behind would keep it for ever: it ends with all that it began.
function run(command, args) {
  const child = spawn(command, args, { cwd: here, stdio: 'inherit', detached: true });
  const end = (signal) => process.kill(-child.pid, signal);
  const timers = [[kAttempt, 'SIGTERM'], [kAttempt + 10_000, 'SIGKILL']].map(([time, signal]) => setTimeout(end, time, signal));
  const stopped = ['SIGINT', 'SIGTERM'].map((signal) => [signal, () => { end(signal); process.exit(1); }]);
  for (const [signal, stop] of stopped) process.on(signal, stop);
  return new Promise((resolve) => child.once('error', () => resolve(1)).once('exit', (code) => {
    timers.forEach(clearTimeout);
    for (const [signal, stop] of stopped) process.off(signal, stop);
    resolve(code ?? 1);
  }));
}

async function install() {
  for (let attempts = 3; attempts > 0; --attempts) {
    if (await run('npm', ['ci', '--no-audit', '--no-fund']) === 0) return true;
  }
  return false;
}

const installed = join(here, 'node_modules', '.package-lock.json');
const wanted = join(here, 'package-lock.json');
if ((!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) && !await install()) {
  process.exit(1);
}
// In a network of its own, where a test may lose packets, count them or translate addresses without harm to others.
const isolated = new Set(['loss', 'marking', 'nat']);
const command = [process.execPath, '--test', '--test-reporter=spec', join(here, `${process.argv[2]}.test.mjs`)];
const test = () => isolated.has(process.argv[2])
  ? run('unshare', ['-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...command])
  : run(command[0], command.slice(1));
// vmrd alone is told where our plugin is: others cannot load one that was built with a sanitizer.
delete process.env.GST_PLUGIN_PATH;
delete process.env.GST_REGISTRY;
const kept = mkdtempSync(join(tmpdir(), 'vmr-e2e-run-'));
process.env.VMR_CRASH_MARK = join(kept, 'crashed');  // a file that is there once a vmrd has crashed
let status = await test();
if (status !== 0 && !existsSync(process.env.VMR_CRASH_MARK)) {
  // Browsers and phones in real time on two cores: a machine that stands still for a second fails what is right. What is
  // wrong fails twice; and a crash needs no second one.
  console.log('once more: the first attempt failed');
  status = await test();
}
rmSync(kept, { recursive: true });
process.exit(status);
