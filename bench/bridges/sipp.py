"""sipp as the caller: calls are set up and torn down as fast as they are answered, or at a rate."""
import csv
import pathlib
import subprocess
import tempfile
import time

from harness import Busy, Failed

CALLER = pathlib.Path(__file__).with_name("caller.xml")


def call(port, calls, open_calls, rate=10_000, hold_ms=0, seconds=60):
    """Calls a second, of `calls` that all came to a good end; at most `open_calls` at a time."""
    with tempfile.TemporaryDirectory(prefix="sipp-bench-") as folder:
        statistics = pathlib.Path(folder) / "statistics.csv"
        command = ["sipp", "-sf", CALLER, "-s", "bench", "-t", "u1", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", calls,
                   "-r", rate, "-l", open_calls, "-d", hold_ms, "-nostdin", "-trace_stat", "-stf", statistics,
                   "-timeout", seconds, "-timeout_error", f"127.0.0.1:{port}"]
        began = time.monotonic()
        done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True,
                              timeout=seconds + 10)
        took = time.monotonic() - began
        if done.returncode != 0:
            raise (Busy if done.returncode == 97 else Failed)(f"sipp: status {done.returncode} {done.stderr[-200:]}")
        with open(statistics, newline="") as rows:
            last = list(csv.DictReader(rows, delimiter=";"))[-1]
    return {"calls_per_second": calls / took, "retransmissions": int(last["Retransmissions(C)"])}


class Holding:
    """Calls that stand until close()."""

    def __init__(self, port, calls, rate):
        self.folder = tempfile.TemporaryDirectory(prefix="sipp-bench-")
        command = ["sipp", "-sf", CALLER, "-s", "bench", "-t", "u1", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", calls,
                   "-r", rate, "-l", calls, "-d", 600_000, "-nostdin", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen([str(word) for word in command], cwd=self.folder.name,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()
