"""How long until who comes on stage is seen, by cameras that send a keyframe when they are asked for one."""
from harness import Case, run_program
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "stage", "From coming on stage to the first picture with that camera, nine cameras of H.264", 1, 1


def cases():
    for round_trip in (0, 50, 100):
        yield Case(f"spotlight moves, camera {round_trip} ms away (round trip)",
                   {"by": "spotlight", "round-trip": round_trip, "changes": 30})
    yield Case("another one talks, camera 50 ms away", {"by": "talker", "round-trip": 50, "changes": 6})


def measure(build, case):
    return run_program(build, "stage-time", case.settings, 60)


def line(result):
    talk = f", on stage after {result['seen_median_ms'] - result['after_stage_median_ms']:.0f} ms" if "after_stage_median_ms" in result else ""
    return (f"seen after {result['seen_median_ms']:.0f} ms (worst {result['seen_worst_ms']:.0f}){talk}, "
            f"{result['keyframe_requests']:.0f} keyframes asked for")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", ""]
        after = [f"{result[f'after_stage_{which}_ms']:.0f} ms" if "after_stage_median_ms" in result else "" for which in ("median", "worst")]
        return [entry.case.name, f"{result['seen_median_ms']:.0f} ms", f"{result['seen_worst_ms']:.0f} ms", *after]
    return tables.table(["change", "seen after: median", "worst", "of it after the stage's message: median", "worst"], map(row, entries))
