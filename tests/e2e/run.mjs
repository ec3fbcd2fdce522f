// Runs one end-to-end test file; on the first run, or when that has changed, installs what the tests need (npm ci).
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const run = (command, args) => spawnSync(command, args, { cwd: here, stdio: 'inherit' }).status ?? 1;

const installed = join(here, 'node_modules', '.package-lock.json');
const wanted = join(here, 'package-lock.json');
if ((!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) && run('npm', ['ci', '--no-audit', '--no-fund']) !== 0) {
  process.exit(1);
}
process.exit(run(process.execPath, ['--test', '--test-reporter=spec', join(here, `${process.argv[2]}.test.mjs`)]));
