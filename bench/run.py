#!/usr/bin/env python3
"""Runs the benchmarks: run.py BUILD [--only SECTION,…] [--match WORDS] [--runs N] [--seconds BUDGET]
                                     [--json FILE] [--markdown FILE] [--from FILE …]

Each case is measured once, then, while there is time, again: all of a section in turn; medians are reported. A case that
fails is reported and the others go on; then the exit status is 1. --markdown puts the tables between the marks of a
document; with --from it takes them from an earlier run's JSON and measures nothing.
"""
import argparse
import json
import os
import pathlib
import platform
import sys
import time

from goals import goals
from harness import Case, Entry, Session
from sections import (calls, churn, daemon, latency, mixer, packets, picture, profile, quality, registrar, rooms, stage,
                      transport, video)

SECTIONS = {section.NAME: section
            for section in (rooms, daemon, calls, latency, churn, quality, mixer, packets, transport, registrar, video, stage,
                            picture, profile)}
BUDGET = 600  # seconds, of everything
MARKS = ("<!-- figures: bench/run.py --markdown -->", "<!-- end of figures -->")


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load_average": os.getloadavg()[0]}


def by_section(entries):
    for name, section in SECTIONS.items():
        of_section = [entry for entry in entries if entry.section is section]
        if of_section:
            yield section, of_section


def document(host, seconds, entries):
    lines = [f"{host['cpu']}, {host['cores']} cores, Linux {host['kernel']}; load average {host['load_average']:.1f} at "
             f"the start; {seconds:.0f} s. Medians of up to {max(len(entry.runs) for entry in entries)} runs.", ""]
    reached = goals(entries)
    lines += ["### Beside the goals", "", *reached, ""] if reached else []
    for section, of_section in by_section(entries):
        lines += [f"### {section.TITLE}", "", *section.table(of_section), ""]
    return lines


def put_into(path, lines):
    before, rest = path.read_text().split(MARKS[0])
    path.write_text("\n".join([before + MARKS[0], "", *lines, MARKS[1]]) + rest.split(MARKS[1])[1])


def stored(host, seconds, entries):
    return {"machine": host, "seconds": seconds,
            "results": [{"section": entry.section.NAME, "case": entry.case.name, "problems": entry.problems,
                         "may_fail": entry.case.may_fail,
                         "settings": {name: value for name, value in entry.case.settings.items() if name != "key"},
                         "median": entry.median(), "runs": entry.runs} for entry in entries]}


def loaded(paths):
    files = [json.loads(path.read_text()) for path in paths]
    return files[0]["machine"], sum(found["seconds"] for found in files), [
        Entry(SECTIONS[one["section"]], Case(one["case"], one["settings"], may_fail=one["may_fail"]), one["runs"],
              one["problems"]) for found in files for one in found["results"]]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by commas: %(default)s")
    parser.add_argument("--match", default="", help="only cases with these words in their name")
    parser.add_argument("--runs", type=int, default=3, help="at most (%(default)s)")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="no case begins that would end later (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("bench-results.json"))
    parser.add_argument("--markdown", type=pathlib.Path, help="document to put the tables into")
    parser.add_argument("--from", dest="source", type=pathlib.Path, nargs="+",
                        help="JSON of earlier runs: nothing is measured")
    chosen = parser.parse_args()
    unknown = set(chosen.only.split(",")) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return chosen


def measure(chosen):
    host, began = machine(), time.monotonic()
    sections = [section for name, section in SECTIONS.items() if name in chosen.only.split(",")]
    words = chosen.match.split()
    session = Session(chosen.build.resolve(), sections, lambda case: all(word in case.name.split() for word in words),
                      chosen.seconds)
    session.run(chosen.runs)
    host["load_average_after"] = os.getloadavg()[0]
    return host, time.monotonic() - began, session.entries


def main():
    chosen = options()
    if chosen.source:
        found = loaded(chosen.source)
    else:
        found = measure(chosen)
        chosen.json.write_text(json.dumps(stored(*found), indent=1))
    lines = document(*found)
    print("\n".join(lines))
    if chosen.markdown:
        put_into(chosen.markdown, lines)
    failed = [entry for entry in found[2] if entry.failed()]
    for entry in failed:
        print(f"FAILED: {entry.section.NAME}, {entry.case.name}: {entry.problems[0]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
