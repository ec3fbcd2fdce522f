"""What a packet costs the server's transport."""
from harness import Case, run_program
from sections import tables
from sections.audio import CM, GCM

NAME, TITLE, ROUNDS, TOGETHER = "transport", "The server's transport: 200 legs that call each other, PCMU", 3, 1
SECONDS = 3


def cases():
    for suite in ("none", CM, GCM):
        yield Case("plain" if suite == "none" else suite, {"legs": 200, "seconds": SECONDS, "suite": suite})


def measure(build, case):
    return run_program(build, "transport-cost", case.settings, SECONDS + 30)


def line(result):
    return (f"µs a packet, sent and received: {result['packet_us']:.1f}; {result['lost_percent']:.2f} % lost, "
            f"{result['threads']:.0f} threads")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", ""]
        return [entry.case.name, f"{result['packet_us']:.1f}", f"{result['lost_percent']:.1f} %",
                f"{result['threads']:.0f}"]
    return tables.table(["suite", "µs: send, and receive elsewhere", "lost", "threads"], map(row, entries))
