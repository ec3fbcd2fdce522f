// Runs one end-to-end test file, a second time if it fails; on the first run, or when that has changed, installs what the tests need (npm ci).
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (command, args) => spawnSync(command, args, { cwd: here, stdio: 'inherit' }).status ?? 1;

const installed = join(here, 'node_modules', '.package-lock.json');
const wanted = join(here, 'package-lock.json');
if ((!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) && run('npm', ['ci', '--no-audit', '--no-fund']) !== 0) {
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
let status = test();
if (status !== 0 && !existsSync(process.env.VMR_CRASH_MARK)) {
  // Browsers and phones in real time on two cores: a machine that stands still for a second fails what is right. What is
  // wrong fails twice; and a crash needs no second one.
  console.log('once more: the first attempt failed');
  status = test();
}
rmSync(kept, { recursive: true });
process.exit(status);
