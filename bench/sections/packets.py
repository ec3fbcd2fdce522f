"""What a packet costs vmr-rtp-io."""
from harness import Case, run_program
from sections import tables
from sections.audio import CM, GCM

NAME, TITLE, ROUNDS, TOGETHER = "packets", "vmr-rtp-io alone: 1000 legs, one packet each in 20 ms", 3, 1
SECONDS = 2


def cases():
    for suite in ("none", CM, GCM):
        yield Case("plain" if suite == "none" else suite, {"legs": 1000, "seconds": SECONDS, "suite": suite})


def measure(build, case):
    return run_program(build, "packet-cost", case.settings, SECONDS + 30)


def line(result):
    return (f"µs a packet: send {result['send_us']:.2f}, receive "
            f"{result['receive_us']:.2f}; {result['lost_percent']:.2f} % lost, {result['threads']:.0f} threads")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        return [entry.case.name, f"{result['send_us']:.2f}", f"{result['receive_us']:.2f}",
                f"{result['lost_percent']:.1f} %", f"{result['receiver_wake_ups']:.0f}"]
    return tables.table(["suite", "µs: protect and send", "receive, unprotect, push, on workers", "lost",
                         "wake-ups of the receiver in 20 ms"], map(row, entries))
