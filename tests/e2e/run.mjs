// Runs one end-to-end test file; on the first run installs what the tests need (npm ci).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const run = (command, args) => spawnSync(command, args, { cwd: here, stdio: 'inherit' }).status ?? 1;

if (!existsSync(join(here, 'node_modules', '.package-lock.json')) && run('npm', ['ci', '--no-audit', '--no-fund']) !== 0) {
  process.exit(1);
}
process.exit(run(process.execPath, ['--test', '--test-reporter=spec', join(here, `${process.argv[2]}.test.mjs`)]));
