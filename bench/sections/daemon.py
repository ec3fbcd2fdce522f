"""vmrd itself, called by SIP: what a leg of audio costs with everything that belongs to it."""
import load
from bridges.vmrd import Vmrd
from sections import audio, rooms, tables
from sections.audio import CM, GCM, room_case

NAME, TITLE, ROUNDS, TOGETHER = "daemon", "vmrd, SIP legs of audio, three talking", 2, 1


def cases():
    for codec in audio.CODECS:
        for legs in (10, 50, 200):
            for suite in ("none", CM, GCM) if legs == 50 else ("none", GCM):
                yield room_case("vmrd", codec, legs, suite, warmup=2.5, seconds=2)


def measure(build, case):
    result = load.measure(build, case.settings, Vmrd)
    rooms.check(case, result)
    return result


def line(result):
    return f"{rooms.line(result)}, {result['calls_per_second']:.0f} calls a second"


def table(entries):
    columns = ["codec, legs", "µs a leg and 20 ms", "a core", "threads", "MB", "delivered", "calls a second"]
    def row(entry):
        result = entry.median()
        return [rooms.what(entry.case.settings), *rooms.cells(entry),
                f"{result['calls_per_second']:.0f}" if result else ""]
    return tables.table(columns, map(row, entries))
