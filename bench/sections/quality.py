"""A tone through loss and jitter."""
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "quality", "Through loss and jitter", 1, 8
NETWORKS = ((0, 0), (5, 0), (10, 0), (20, 0), (0, 20), (0, 50), (0, 100), (10, 50))  # %, ms


def cases():
    for codec in audio.CODECS:
        for loss, jitter in NETWORKS:
            yield audio.room_case("vmr", codec, 4, mode="tone", loss=loss, jitter=jitter, warmup=8, seconds=12,
                                  extra=f" tone, loss {loss} %, jitter {jitter} ms")


def measure(build, case):
    return audio.measure(build, case.settings)


def line(result):
    return (f"gap {result['gap_percent']:.1f} %, longest {result['longest_gap_ms']:.0f} ms, "
            f"{result['gaps_per_minute']:.0f} a minute, level {result['level_dbfs']:.1f} dBFS, "
            f"SNR {result['snr_db']:.1f} dB")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        return [entry.case.name, f"{result['gap_percent']:.1f} %", f"{result['longest_gap_ms']:.0f} ms",
                f"{result['level_dbfs']:.1f} dBFS", f"{result['snr_db']:.1f} dB"]
    return tables.table(["case", "share of gaps", "longest", "level", "SNR"], map(row, entries))
