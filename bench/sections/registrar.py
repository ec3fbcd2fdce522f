"""What a registration costs the SIP side."""
import contextlib

from bridges.kamailio import REGISTRAR, Kamailio
from harness import Case, run_program
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "registrar", "Registrations with SHA-256", 3, 1


def cases():
    yield Case("pure", {"way": "pure", "devices": 10000, "refreshes": 3})
    for way in ("tcp", "tls"):
        yield Case(way, {"way": way, "devices": 1000, "refreshes": 5})
        yield Case(f"{way}, Kamailio", {"way": way, "devices": 1000, "refreshes": 5})


def measure(build, case):
    if "Kamailio" not in case.name:
        return run_program(build, "registrar-cost", case.settings, 60)
    with contextlib.closing(Kamailio(REGISTRAR, case.settings["way"])) as server:
        return run_program(build, "registrar-cost", {**case.settings, "port": server.port, "pid": server.process.pid}, 60)


def line(result):
    return (f"{result['per_second']:.0f} a second and core, refresh {result['refresh_us']:.0f} µs, "
            f"{result['bytes']:.0f} bytes each")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", "", ""]
        connection = result.get("connection_bytes")
        return [entry.case.name, f"{result['registration_us']:.0f}", f"{result['per_second']:,.0f}",
                f"{result['refresh_us']:.0f}", f"{result['bytes']:,.0f}",
                "" if connection is None else f"{connection:,.0f}"]
    return tables.table(["way", "µs a registration", "a second and core", "µs a refresh", "bytes a registration",
                         "bytes a connection"], map(row, entries))
