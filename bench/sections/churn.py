"""Legs that come and go: does anything grow?"""
import statistics

from harness import Failed
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "churn", "Churn in a room of 50", 1, 1
AFTER, RATE, COUNT = 5, 60, 1000
FRAME_MS = 20


def cases():
    seconds = COUNT / RATE + 6
    yield audio.room_case("vmr", "opus", 50, audio.GCM, mode="latency", churn=COUNT, warmup=AFTER, seconds=seconds,
                          extra=f" {COUNT} leaves and joins", **{"churn-rate": RATE, "churn-after": AFTER})


def measure(build, case):
    result = audio.measure(build, case.settings)
    result["drift"] = drift(result["series"])
    if result["churned"] < COUNT:
        raise Failed(f"{result['churned']} of {COUNT} leaves and joins")
    return result


def drift(series):
    """Median latency of the first and of the last fifth, ms."""
    part = max(1, len(series) // 5)
    return [statistics.median(ms for _, ms in piece) for piece in (series[:part], series[-part:])]


def line(result):
    first, last = result["drift"]
    verdict = "" if last - first < FRAME_MS else " MORE THAN A FRAME"
    return (f"latency {first:.1f} → {last:.1f} ms{verdict}, p95 {result['p95_ms']:.1f}, "
            f"{result['heard']:.0f} of {result['onsets']:.0f} onsets, threads {arrow(result['threads'])}, "
            f"files {arrow(result['files'])}, MB {arrow(result['rss_mb'], 1)}")


def arrow(pair, digits=0):
    return f"{pair[0]:.{digits}f} → {pair[1]:.{digits}f}"


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", "", ""]
        return [entry.case.name, arrow(result["drift"], 1), f"{result['heard']:.0f} of {result['onsets']:.0f}",
                arrow(result["threads"]), arrow(result["files"]), arrow(result["rss_mb"], 1)]
    return tables.table(["case", "latency, ms", "onsets heard", "threads", "files", "MB"], map(row, entries))
