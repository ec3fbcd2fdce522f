"""SIP calls that are set up and torn down by sipp: what one costs, and what one takes while it stands."""
import contextlib
import json
import os
import subprocess
import time

from bridges import sipp
from bridges.kamailio import Kamailio, ticks
from bridges.vmrd import Server
from harness import Case, Failed, environment
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "calls", "SIP calls over UDP, set up and torn down by sipp", 2, 1
SIGNALLING, MEDIA, KAMAILIO = "vmr, offer and answer negotiated", "vmrd, with media in a room", "Kamailio, the same answer to all"
STANDING, STANDING_MEDIA, STANDING_SECONDS = 2000, 200, 20
SIGNALLING_RATE, MEDIA_RATE = 1000, 80  # a second: a source may place 100 in vmrd


class SipServer:
    """Our SIP side without media behind it."""

    def __init__(self, build):
        self.process = subprocess.Popen([build / "bench" / "sip-server"], env=environment(build), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def usage(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def cases():
    yield Case(SIGNALLING, {"calls": 4000, "open": 50})
    yield Case(KAMAILIO, {"calls": 4000, "open": 50})
    yield Case(MEDIA, {"calls": 400, "open": 20, "rate": MEDIA_RATE})


def open_files(pid):
    """Two of them are a call's sockets of RTP and RTCP."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss_mb(pid):
    with open(f"/proc/{pid}/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def cost(before, after, calls, load):
    seconds = after - before
    return {"us_per_call": seconds / calls * 1e6, "per_core": calls / seconds, **load}


def measure_signalling(build, settings):
    with contextlib.closing(SipServer(build)) as server:
        sipp.call(server.port, 200, settings["open"])  # what is made once
        before = server.usage()
        load = sipp.call(server.port, settings["calls"], settings["open"])
        after = server.usage()
        if after["calls"] or after["answered"] - before["answered"] != settings["calls"]:
            raise Failed(f"calls are missing or left: {after}")
        result = cost(before["cpu_seconds"], after["cpu_seconds"], settings["calls"], load)
        return {**result, "kb_per_call": standing(server.port, STANDING, SIGNALLING_RATE, lambda: server.usage()["calls"],
                                                  lambda: server.usage()["rss_mb"])}


def standing(port, calls, rate, count, rss_mb):
    """KB of each call that stands."""
    before = rss_mb()
    with contextlib.closing(sipp.Holding(port, calls, rate)):
        deadline = time.monotonic() + STANDING_SECONDS
        while count() < calls:
            if time.monotonic() > deadline:
                raise Failed("calls do not stand")
            time.sleep(0.1)
        return (rss_mb() - before) * 1024 / calls


def measure_kamailio(settings):
    with contextlib.closing(Kamailio()) as server:
        sipp.call(server.port, 200, settings["open"])
        before = server.cpu_seconds()
        load = sipp.call(server.port, settings["calls"], settings["open"])
        return cost(before, server.cpu_seconds(), settings["calls"], load)


def measure_media(build, settings):
    with contextlib.closing(Server(build)) as server:
        sipp.call(server.port, 40, settings["open"], settings["rate"])
        files, before = open_files(server.pid), ticks(server.pid)
        load = sipp.call(server.port, settings["calls"], settings["open"], settings["rate"])
        result = cost(before, ticks(server.pid), settings["calls"], load)
        made = lambda: (open_files(server.pid) - files) // 2
        return {**result, "kb_per_call": standing(server.port, STANDING_MEDIA, MEDIA_RATE, made,
                                                  lambda: rss_mb(server.pid))}


def measure(build, case):
    if case.name == SIGNALLING:
        return measure_signalling(build, case.settings)
    return measure_kamailio(case.settings) if case.name == KAMAILIO else measure_media(build, case.settings)


def line(result):
    return (f"{result['us_per_call']:.0f} µs a call, {result['per_core']:.0f} a second and core, "
            f"{result['calls_per_second']:.0f} a second reached")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        return [entry.case.name, f"{result['us_per_call']:.0f}", f"{result['per_core']:.0f}",
                f"{result['calls_per_second']:.0f}", f"{result['kb_per_call']:.1f}" if "kb_per_call" in result else ""]
    return tables.table(["who is called", "µs of CPU a call", "calls a second and core", "a second in this run",
                         "KB a standing call"], map(row, entries))
