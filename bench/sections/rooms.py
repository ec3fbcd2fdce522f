"""Audio rooms: what a participant costs, and who hears whom."""
from harness import Busy, Failed
from sections import audio, tables
from sections.audio import CM, GCM, room_case

NAME, TITLE, ROUNDS, TOGETHER = "rooms", "Audio rooms, three talking", 3, 1
LATE_MS = 60
DELIVERED = 0.97  # below it a room has not done what its CPU time is given for
ENGINES = {"vmr": "vmr", "janus": "Janus", "audiomixer": "audiomixer"}


def cases():
    for codec in audio.CODECS:
        for legs in (4, 10, 32, 50, 200, 1000):
            yield room_case("vmr", codec, legs)
            if legs in (10, 50, 200, 1000):
                yield room_case("vmr", codec, legs, GCM)
            if legs in (4, 10, 50, 200):
                yield room_case("janus", codec, legs)
            if legs in (4, 10, 32):
                yield room_case("audiomixer", codec, legs)
        yield room_case("vmr", codec, 1000, CM)
    yield room_case("janus", "opus", 1000, case={"once": True, "may_fail": True})
    yield room_case("vmr", "opus", 1000, GCM, extra=" silent legs send nothing", silent="none")


def measure(build, case):
    result = audio.measure(build, case.settings)
    check(case, result)
    return result


def check(case, result):
    if case.settings["engine"] not in ("vmr", "vmrd"):
        return  # a peer over its limit is a result
    if result["load_late_ms"] > LATE_MS:
        raise Busy(f"load {result['load_late_ms']:.0f} ms late, {result['delivered'] * 100:.0f} % delivered")
    if result["delivered"] < DELIVERED:
        raise Failed(f"{result['delivered'] * 100:.0f} % delivered")
    if result["deaf"] > 0:
        raise Failed(f"{result['deaf']} tones missing")


def late(result):
    return f", load {result['load_late_ms']:.0f} ms late" if result["load_late_ms"] > LATE_MS else ""


def line(result):
    heard = "all heard" if result["deaf"] == 0 else f"{result['deaf']:.0f} TONES MISSING"
    return (f"{result['us_per_leg_tick']:.1f} µs, {result['per_core']:.0f} a core, {result['threads']:.0f} threads, "
            f"{result['rss_mb']:.0f} MB, {result['delivered'] * 100:.1f} % delivered, {heard}, "
            f"own tone {result['own_tone_db']:.0f} dB{late(result)}")


def cells(entry):
    if entry is None:
        return ["", "", "", "", ""]
    result = entry.median()
    if result is None:
        return [tables.why_not(entry), "", "", "", ""]
    heard = f"{result['delivered'] * 100:.0f} %" + (f", {result['deaf']:.0f} tones missing" if result["deaf"] else "")
    heard += late(result)
    return [tables.number(result["us_per_leg_tick"]), tables.number(result["per_core"]) if result["delivered"] >= DELIVERED else "", f"{result['threads']:.0f}",
            f"{result['rss_mb']:.0f}", heard]


def what(settings):
    parts = [audio.CODECS[settings["codec"]], str(settings["legs"])]
    parts += [settings["suite"]] if settings["suite"] != "none" else []
    parts += ["silent send nothing"] if settings.get("silent") == "none" else []
    return ", ".join(parts)


def table(entries):
    rows = {}
    for entry in entries:
        rows.setdefault(what(entry.case.settings), {})[entry.case.settings["engine"]] = entry
    engines = [engine for engine in ENGINES if any(engine in row for row in rows.values())]
    columns = ["codec, participants"]
    for engine in engines:
        columns += [f"{ENGINES[engine]}: µs a participant and 20 ms", "a core", "threads", "MB", "delivered"]
    return tables.table(columns, ([name] + [cell for engine in engines for cell in cells(row.get(engine))]
                                  for name, row in rows.items()))
