"""What a room's pictures cost, beside GStreamer's compositor."""
from harness import Case, run_program
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "video", "Video rooms into 720p30, cameras of 640 × 360 where nothing else is said", 3, 1
SECONDS = 1.5


def cases():
    for tiles in (4, 9):
        yield case(tiles, "composed, no encode", viewers=0)
        yield case(tiles, "composed, no encode", bridge="compositor", viewers=0)
        yield case(tiles, "1 viewer", viewers=1)
        yield case(tiles, "1 encode", bridge="compositor", viewers=1)
        yield case(tiles, "3 viewers", viewers=3)
        yield case(tiles, f"all {tiles} viewers, each without themselves", viewers=tiles, **{"on-stage": True})
        yield case(tiles, "1 viewer, cameras come as H.264", viewers=1, coded=True)
        yield case(tiles, "1 encode, cameras come as H.264", bridge="compositor", viewers=1, coded=True)
    # What a tile of nine is asked for, and who sends 720p all the same.
    for text, width, height, kbits in (("as asked for, 424 × 240", 424, 240, 450), ("1280 × 720 against that", 1280, 720, 2500)):
        for bridge, who in (("vmr", "1 viewer"), ("compositor", "1 encode")):
            yield case(9, f"{who}, cameras come as H.264 {text}", bridge=bridge, viewers=1, coded=True,
                       **{"camera-width": width, "camera-height": height, "camera-kbits": kbits})


def case(tiles, text, bridge="vmr", **options):
    name = f"{tiles} cameras, {'vmr-mixer' if bridge == 'vmr' else bridge}: {text}"
    return Case(name, {"bridge": bridge, "tiles": tiles, "seconds": SECONDS, **options})


def measure(build, case):
    return run_program(build, "video-cost", case.settings, SECONDS + 20)


def line(result):
    encodes = f", {result['encodes_per_second']:.0f} encodes a second" if "encodes_per_second" in result else ""
    return f"{result['ms_per_frame']:.2f} ms a frame, {result['per_core']:.2f} rooms a core{encodes}"


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", ""]
        encodes = f"{result['encodes_per_second']:.0f}" if "encodes_per_second" in result else ""
        return [entry.case.name, f"{result['ms_per_frame']:.2f}", f"{result['per_core']:.2f}", encodes]
    return tables.table(["room", "ms of CPU a frame", "rooms a core", "H.264 encodes a second"], map(row, entries))
