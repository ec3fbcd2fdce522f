// Runs one end-to-end test file, a second time if it fails; on the first run, or when that has changed, installs what the tests need (npm ci).
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (command, args) => spawnSync(command, args, { cwd: here, stdio: 'inherit' }).status ?? 1;

const installed = join(here, 'node_modules', '.package-lock.json');
const wanted = join(here, 'package-lock.json');
if ((!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) && run('npm', ['ci', '--no-audit', '--no-fund']) !== 0) {
  process.exit(1);
}
// In a network of its own, where a test may lose packets or translate addresses without harm to others.
const isolated = new Set(['loss', 'nat']);
const command = [process.execPath, '--test', '--test-reporter=spec', join(here, `${process.argv[2]}.test.mjs`)];
const test = () => isolated.has(process.argv[2])
  ? run('unshare', ['-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...command])
  : run(command[0], command.slice(1));
let status = test();
if (status !== 0) {
  // Browsers and phones in real time on two cores: a machine that stands still for a second fails what is right. What is
  // wrong fails twice.
  console.log('once more: the first attempt failed');
  status = test();
}
process.exit(status);
