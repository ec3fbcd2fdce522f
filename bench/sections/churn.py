"""Legs that come and go: does anything grow?"""
import statistics
import time

import load
from bridges.vmrd import Vmrd
from harness import Failed
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "churn", "Churn", 1, 2
AFTER, RATE, COUNT = 5, 60, 1000
CALLS, CALLS_RATE = 300, 15  # to vmrd, that come and go; of a room of 10
FRAME_MS = 20


def cases():
    seconds = COUNT / RATE + 6
    yield audio.room_case("vmr", "opus", 50, audio.GCM, mode="latency", churn=COUNT, warmup=AFTER, seconds=seconds,
                          extra=f" {COUNT} leaves and joins", **{"churn-rate": RATE, "churn-after": AFTER})
    # Who joins vmrd's room is announced, so onsets cannot be told apart: no latency there.
    yield audio.room_case("vmrd", "opus", 10, audio.GCM, warmup=AFTER, seconds=CALLS / CALLS_RATE + 6,
                          extra=f" {CALLS} calls more")


def measure(build, case):
    if case.settings["engine"] == "vmrd":
        wanted, result = CALLS, load.measure(build, case.settings, Vmrd, call_and_hang_up)
    else:
        wanted, result = COUNT, audio.measure(build, case.settings)
        result["drift"] = drift(result["series"])
    if result["churned"] < wanted:
        raise Failed(f"{result['churned']} of {wanted} leaves and joins")
    return result


def call_and_hang_up(vmrd):
    """Calls that end as soon as they are answered, from when the load measures on."""
    began = time.monotonic() + AFTER
    for number in range(CALLS):
        time.sleep(max(0, began + number / CALLS_RATE - time.monotonic()))
        vmrd.call_briefly()
    return {"churned": CALLS}


def drift(series):
    """Median latency of the first and of the last fifth, ms."""
    part = max(1, len(series) // 5)
    return [statistics.median(ms for _, ms in piece) for piece in (series[:part], series[-part:])]


def line(result):
    text = ", ".join(f"{name} {arrow(pair)}" for name, pair in result["growth"].items())
    if "drift" in result:
        first, last = result["drift"]
        verdict = "" if last - first < FRAME_MS else " MORE THAN A FRAME"
        text = (f"latency {first:.1f} → {last:.1f} ms{verdict}, p95 {result['p95_ms']:.1f}, "
                f"{result['heard']:.0f} of {result['onsets']:.0f} onsets, {text}")
    return text


def arrow(pair, digits=0):
    return f"{pair[0]:.{digits}f} → {pair[1]:.{digits}f}"


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", "", ""]
        known = "drift" in result
        return [entry.case.name, arrow(result["drift"], 1) if known else "",
                f"{result['heard']:.0f} of {result['onsets']:.0f}" if known else "",
                *(arrow(result["growth"][what], digits) for what, digits in (("threads", 0), ("files", 0), ("rss_mb", 1)))]
    return tables.table(["case", "latency, ms: first and last fifth", "onsets heard", "threads", "files", "MB"],
                        map(row, entries))
