"""Where a bridge's CPU time goes, by `perf`."""
import re
import shutil
import subprocess

import load
from bridges.audio_room import AudioRoom
from bridges.vmrd import Vmrd
from harness import Failed
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "profile", "Where the CPU time goes", 1, 1
WARM_SECONDS, SECONDS, HERTZ = 1.5, 2, 999
SHOWN = 7


def cases():
    may_fail = {"may_fail": True}  # perf is not everywhere, nor allowed everywhere
    for engine, codec, legs, suite in (("vmr", "opus", 4, "none"), ("vmr", "opus", 1000, audio.GCM),
                                       ("vmr", "pcmu", 1000, "none"), ("vmrd", "opus", 50, audio.GCM)):
        yield audio.room_case(engine, codec, legs, suite, case=may_fail, warmup=WARM_SECONDS, seconds=SECONDS + 1)


def measure(build, case):
    if not shutil.which("perf"):
        raise Failed("perf is not installed")
    data = build / "bench-perf.data"

    def record(bridge):
        """From when the room has warmed up; the load goes on meanwhile."""
        done = subprocess.run(["perf", "record", "-q", "-o", data, "-F", str(HERTZ), "-D", str(int(WARM_SECONDS * 1000)),
                               "-p", str(bridge.pid), "--", "sleep", str(WARM_SECONDS + SECONDS)],
                              capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise Failed(f"perf: {done.stderr.strip()[-200:]}")
        return {}
    result = load.measure(build, case.settings, Vmrd if case.settings["engine"] == "vmrd" else AudioRoom, record)
    return {"us_per_leg_tick": result["us_per_leg_tick"], "libraries": shares(data, "dso"), "functions": shares(data, "dso,sym")}


def shares(data, sort):
    """[name, percent] of the largest."""
    done = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--sort", sort],
                          capture_output=True, text=True, timeout=60)
    rows = re.findall(r"^\s+([\d.]+)%\s+(\S.*?)\s*$", done.stdout, re.M)
    return [[re.sub(r"\s+\[[k.]\]\s+", " ", re.sub(r"\.so[.\d]*", "", name)), float(percent)]
            for percent, name in rows[:SHOWN]]


def text(pairs):
    return ", ".join(f"{name.replace('[kernel.kallsyms]', 'kernel')} {percent:.0f} %" for name, percent in pairs)


def line(result):
    return text(result["libraries"])


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), ""]
        return [entry.case.name, text(result["libraries"]), text(result["functions"])]
    return tables.table(["bridge", "by library", "by function"], map(row, entries))
