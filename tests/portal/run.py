#!/usr/bin/env python3
"""Runs the portal's tests outside the source tree: run.py SOURCE PORTAL_DIR WORK unit|browser [PORTAL_DIST].

Everything npm writes goes to WORK; `npm ci` runs only when the lock file has changed.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

K_SKIPPED = 77  # meson's exit status for a test that could not run here


def copy_tests(source, work):
    work.mkdir(parents=True, exist_ok=True)
    for name in ('unit', 'smoke'):
        shutil.rmtree(work / name, ignore_errors=True)
        shutil.copytree(source / name, work / name)
    for name in ('package.json', 'package-lock.json', 'vitest.config.ts', '.npmrc'):
        shutil.copyfile(source / name, work / name)


def install_packages(work):
    lock = (work / 'package-lock.json').read_bytes()
    stamp = work / 'installed.lock'
    if stamp.exists() and stamp.read_bytes() == lock and (work / 'node_modules').is_dir():
        return
    stamp.unlink(missing_ok=True)
    for last in (False, False, True):
        if subprocess.run(['npm', 'ci', '--no-audit', '--no-fund'], cwd=work, check=last).returncode == 0:
            break
    stamp.write_bytes(lock)


def main():
    source, portal, work = (Path(one).resolve() for one in sys.argv[1:4])
    kind = sys.argv[4]
    browser = os.environ.get('VMR_BROWSER_PATH') or f"/usr/bin/{'firefox' if kind == 'firefox' else 'chromium'}"
    if kind != 'unit' and not Path(browser).exists():
        print(f'{browser} is not here')
        sys.exit(K_SKIPPED)
    copy_tests(source, work)
    install_packages(work)
    environment = dict(os.environ, VMR_PORTAL=str(portal))
    if kind == 'unit':
        command = ['node', 'node_modules/vitest/vitest.mjs', 'run']
    else:
        environment['VMR_BROWSER'] = 'firefox' if kind == 'firefox' else 'chrome'
        command = ['node', 'smoke/run.mjs', str(Path(sys.argv[5]).resolve()), *sys.argv[6:]]
    status = subprocess.run(command, cwd=work, env=environment).returncode
    if status != 0 and kind != 'unit':
        print('once more: the first attempt failed')  # as tests/e2e/run.mjs: a browser in real time, on two cores
        status = subprocess.run(command, cwd=work, env=environment).returncode
    sys.exit(status)


if __name__ == '__main__':
    main()
