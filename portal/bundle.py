#!/usr/bin/env python3
"""Builds the portal out of its source folder and wraps it into C source: bundle.py SOURCE WORK OUT_C OUT_H DEPFILE.

Everything npm writes goes to WORK. `npm ci` runs only when the lock file has changed.
Each file gets into the GResource twice where that saves bytes: as it is, and gzipped beside it (NAME.gz).
"""
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

PREFIX = '/vmr/portal'
SKIP = {'node_modules', 'dist', 'meson.build', 'bundle.py', 'README.md'}
COMPRESSIBLE = {'.html', '.js', '.css', '.svg', '.json'}


def run(command, cwd):
    result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}")


def sources(source):
    for path in sorted(source.rglob('*')):
        if path.is_file() and not SKIP & set(path.relative_to(source).parts):
            yield path


def copy_sources(source, work):
    for stale in ('src', 'public'):
        shutil.rmtree(work / stale, ignore_errors=True)
    for path in sources(source):
        target = work / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def install_packages(work):
    lock = (work / 'package-lock.json').read_bytes()
    stamp = work / 'installed.lock'
    if stamp.exists() and stamp.read_bytes() == lock and (work / 'node_modules').is_dir():
        return
    stamp.unlink(missing_ok=True)
    run(['npm', 'ci', '--no-audit', '--no-fund'], work)
    stamp.write_bytes(lock)


def write_manifest(dist):
    names = []
    for path in sorted(dist.rglob('*')):
        if not path.is_file() or path.suffix == '.gz':
            continue
        names.append(path.relative_to(dist))
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        if path.suffix in COMPRESSIBLE and len(packed) < path.stat().st_size * 0.9:
            name = path.with_name(path.name + '.gz')
            name.write_bytes(packed)
            names.append(name.relative_to(dist))
    files = '\n'.join(f'    <file>{escape(str(name))}</file>' for name in names)
    xml = f'<gresources>\n  <gresource prefix="{PREFIX}">\n{files}\n  </gresource>\n</gresources>\n'
    manifest = dist.parent / 'portal.gresource.xml'
    manifest.write_text(xml)
    return manifest


def main():
    source, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    out_c, out_h, depfile = sys.argv[3], sys.argv[4], sys.argv[5]
    work.mkdir(parents=True, exist_ok=True)
    copy_sources(source, work)
    install_packages(work)
    run(['npm', 'run', 'build'], work)
    manifest = write_manifest(work / 'dist')
    compile_c = ['glib-compile-resources', str(manifest), '--sourcedir', str(work / 'dist'), '--c-name', 'vmr_portal']
    run([*compile_c, '--generate-source', '--target', os.path.abspath(out_c)], work)
    run([*compile_c, '--generate-header', '--target', os.path.abspath(out_h)], work)
    inputs = ' '.join(str(path).replace(' ', '\\ ') for path in sources(source))
    Path(depfile).write_text(f'{out_c}: {inputs}\n')


if __name__ == '__main__':
    main()
