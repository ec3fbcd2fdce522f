"""Added latency: tone onset in to onset out, beyond a wire."""
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "latency", "Latency beyond a wire, ten speakers in turn", 1, 3


def cases():
    for codec in audio.CODECS:
        for tick in (20, 10):
            yield audio.room_case("vmr", codec, 10, mode="latency", tick=tick, warmup=4, seconds=10,
                                  extra=f" tick {tick} ms")
        yield audio.room_case("janus", codec, 10, mode="latency", warmup=4, seconds=10)


def measure(build, case):
    return audio.measure(build, case.settings)


def line(result):
    buffers = (f", of it jitter buffer {result['jitter_delay_ms']:.0f} ms (target {result['jitter_target_ms']:.0f})"
               if "jitter_delay_ms" in result else "")
    return (f"median {result['median_ms']:.1f} ms, p95 {result['p95_ms']:.1f} ms, "
            f"{result['heard']:.0f} of {result['onsets']:.0f} onsets heard{buffers}")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        held = f"{result['jitter_delay_ms']:.0f} ({result['jitter_target_ms']:.0f})" if "jitter_delay_ms" in result else ""
        return [entry.case.name, f"{result['median_ms']:.1f}", f"{result['p95_ms']:.1f}",
                f"{result['heard']:.0f} of {result['onsets']:.0f}", held]
    return tables.table(["case", "median, ms", "p95", "onsets heard", "held by jitter buffers (target), ms"],
                        map(row, entries))
