"""What one more listener costs the mixer, sockets and SRTP left out."""
from harness import Case, run_program
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "mixer", "vmr-mixer alone: three talkers, listeners that only count", 3, 1
RTP = {"opus": "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111",
       "pcmu": "application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload=0"}
RAW_OPUS = "audio/x-opus,channels=1,rate=48000,channel-mapping-family=0"
SECONDS = 2


def cases():
    for listeners in (4, 10, 50, 200, 1000):
        yield case("Opus over RTP", listeners, caps=RTP["opus"])
    yield case("Opus over RTP, pushed by the pool", 1000, caps=RTP["opus"], pooled=True)
    yield case("PCMU over RTP", 1000, caps=RTP["pcmu"])
    yield case("Opus without RTP, raw talkers, pushed by the pool", 1000, caps=RAW_OPUS, pooled=True,
               **{"raw-talkers": True})


def case(text, listeners, **options):
    return Case(f"{text}, {listeners} listeners", {"listeners": listeners, "seconds": SECONDS, **options})


def measure(build, case):
    return run_program(build, "mixer-cost", case.settings, SECONDS + 20)


def line(result):
    return (f"{result['us_per_leg_tick']:.2f} µs, a tick: {result['encodes_per_tick']:.2f} encodes, "
            f"{result['decodes_per_tick']:.2f} decodes, {result['packets_per_tick']:.1f} packets")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        return [entry.case.name, tables.number(result["us_per_leg_tick"]), f"{result['encodes_per_tick']:.1f}",
                f"{result['decodes_per_tick']:.1f}", f"{result['packets_per_tick']:.1f}"]
    return tables.table(["case", "µs a listener and tick", "encodes a tick", "decodes", "packets"], map(row, entries))
