"""The project's goals, beside what a run reached."""
from sections import calls
from sections.tables import number, table

OPUS, PCMU, GCM = "vmr opus", "vmr pcmu", "aead-aes-256-gcm"


class Results:
    def __init__(self, entries):
        self.medians = {(entry.section.NAME, entry.case.name): entry.median() for entry in entries if entry.runs}

    def of(self, section, case):
        return self.medians[section, case]

    def per_core(self, case, section="rooms"):
        return self.of(section, case)["per_core"]

    def one_more(self, codec, suite):
        """µs of CPU in 20 ms for each participant from 200 to 1000."""
        few, many = (self.of("rooms", f"vmr {codec} N={legs}{suite}")["us_per_leg_tick"] * legs for legs in (200, 1000))
        return (many - few) / 800


def at_least(goal, *values):
    return min(values) >= goal, ", ".join(number(value) for value in values)


def at_most(goal, *values):
    return max(values) <= goal, ", ".join(number(value) for value in values)


GOALS = (
    ("large Opus room with AEAD-AES-256-GCM: ≥ 2,000 a core", lambda r: at_least(2000, r.per_core(f"{OPUS} N=1000 {GCM}"))),
    ("large PCMU room: ≥ 2,500 a core", lambda r: at_least(2500, r.per_core(f"{PCMU} N=1000"))),
    ("large Opus room with AEAD-AES-256-GCM: times Janus at N = 50 without SRTP",
     lambda r: (True, number(r.per_core(f"{OPUS} N=1000 {GCM}") / r.per_core("janus opus N=50")))),
    ("one more listener: ≤ 10 µs in 20 ms (plain, AEAD-AES-256-GCM)",
     lambda r: at_most(10, r.one_more("opus", ""), r.one_more("opus", f" {GCM}"))),
    ("one more listener: no thread (of N = 50 and 1000)",
     lambda r: (r.of("rooms", f"{OPUS} N=1000")["threads"] <= r.of("rooms", f"{OPUS} N=50")["threads"],
                ", ".join(f"{r.of('rooms', f'{OPUS} N={legs}')['threads']:.0f}" for legs in (50, 1000)))),
    ("Opus rooms of 4 and of 10: ≥ 300 a core",
     lambda r: at_least(300, r.per_core(f"{OPUS} N=4"), r.per_core(f"{OPUS} N=10"))),
    ("latency, Opus, tick 10 ms: median ≤ 25 ms",
     lambda r: at_most(25, r.of("latency", f"{OPUS} N=10 tick 10 ms")["median_ms"])),
    ("latency, PCMU, tick 10 ms: median ≤ 15 ms",
     lambda r: at_most(15, r.of("latency", f"{PCMU} N=10 tick 10 ms")["median_ms"])),
    ("rooms of nine tiles with one H.264 encode: ≥ 3.5 a core (raw cameras; cameras decoded: as asked for, larger)",
     lambda r: at_least(3.5, *(r.per_core(f"9 cameras, vmr-mixer: 1 viewer{cameras}", "video")
                               for cameras in ("", ", cameras come as H.264 as asked for, 424 × 240",
                                               ", cameras come as H.264")))),
    ("who comes on stage is seen within 300 ms (camera 0, 50, 100 ms away; worst)",
     lambda r: at_most(300, *(r.of("stage", f"spotlight moves, camera {away} ms away (round trip)")["seen_worst_ms"]
                              for away in (0, 50, 100)))),
    ("10 % loss: no gap over 60 ms (Opus tone, speech; PCMU tone, speech)",
     lambda r: at_most(60, *(r.of("quality", f"{engine} N=4 {sound}, loss 10 %, jitter 0 ms")["longest_gap_ms"]
                             for engine in (OPUS, PCMU) for sound in ("tone", "speech")))),
    ("SIP calls set up and torn down: ≥ 500 a second and core negotiated, ≥ 100 with media",
     lambda r: (r.of("calls", calls.SIGNALLING)["per_core"] >= 500 and r.of("calls", calls.MEDIA)["per_core"] >= 100,
                ", ".join(number(r.of("calls", case)["per_core"]) for case in (calls.SIGNALLING, calls.MEDIA)))),
    ("registrations over TLS, challenge and answer: ≥ 5,000 a second and core",
     lambda r: at_least(5000, r.of("registrar", "tls")["per_second"])),
    ("idle registration: ≤ 4 KB", lambda r: at_most(4096, r.of("registrar", "tls")["bytes"])),
    ("1,000 leaves and joins: drift below a frame, ms",
     lambda r: at_most(20, (lambda drift: drift[1] - drift[0])(
         r.of("churn", f"{OPUS} N=50 {GCM} 1000 leaves and joins")["drift"]))),
)


def goals(entries):
    results, rows = Results(entries), []
    for text, reached in GOALS:
        try:
            met, value = reached(results)
        except KeyError:
            continue  # not measured this time
        rows.append([text, value, "" if met else "not reached"])
    return table(["goal", "measured", ""], rows) if rows else []
