// Writes package-lock.json for the package in this folder, without registry addresses:
//   cd portal && node tools/relock.mjs        cd tests/portal && node ../../portal/tools/relock.mjs
// npm's own omit-lockfile-registry-resolved loses the versions of optional packages for other platforms.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

execFileSync('npm', ['install', '--package-lock-only', '--omit-lockfile-registry-resolved=false'], { stdio: 'inherit' });
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const entry of Object.values(lock.packages)) delete entry.resolved;
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
