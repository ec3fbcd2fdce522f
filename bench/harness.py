"""Cases, how often each is measured, and what came out."""
import concurrent.futures
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time


class Failed(Exception):
    """A case that could not be measured, or measured something wrong."""


class Busy(Failed):
    """No measurement: the machine had no time for the load. Another run may be one."""


@dataclasses.dataclass
class Case:
    name: str
    settings: dict
    once: bool = False      # long, or bound not to finish: in the first round only
    may_fail: bool = False  # a peer at its limit: that it fails is the result


@dataclasses.dataclass
class Entry:
    """A case of a section and what its runs gave."""
    section: object
    case: Case
    runs: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)
    busy: list = dataclasses.field(default_factory=list)
    seconds: float = 0

    def median(self):
        return median(self.runs) if self.runs else None

    def failed(self):
        return bool(self.problems) and not self.case.may_fail

    def settle(self):
        """Being too busy now and then is no problem, if there were other runs."""
        if not self.runs and self.busy:
            self.problems.append(self.busy[0])


def median(runs):
    """Of each number; what is no number is that of the first run."""
    merged = {}
    for field, value in runs[0].items():
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        merged[field] = statistics.median(run[field] for run in runs) if numeric else value
    return merged


def environment(build):
    """For programs that load our plugin."""
    return dict(os.environ, GST_PLUGIN_PATH=str(build / "plugins"), GST_REGISTRY=str(build / "gst-registry.bin"),
                MALLOC_ARENA_MAX="2")


def run_program(build, name, options, seconds):
    """What one of our programs prints as JSON; `seconds` is all the time it has."""
    command = [build / "bench" / name]
    for option, value in options.items():
        command += ["--" + option] if value is True else [] if value is False else ["--" + option, str(value)]
    done = subprocess.run(command, env=environment(build), capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise Failed(f"{name}: {done.stderr.strip()[-300:] or done.returncode}")
    return json.loads(done.stdout)


class Session:
    """All cases of some sections: each once, and then again, interleaved, while there is time."""

    def __init__(self, build, sections, chosen, budget):
        self.build, self.budget = build, budget
        self.began = time.monotonic()
        self.entries = [Entry(section, case) for section in sections for case in section.cases() if chosen(case)]

    def run(self, rounds):
        for number in range(rounds):
            for section in sorted(dict.fromkeys(entry.section for entry in self.entries), key=self.spent):
                due = [entry for entry in self.entries if entry.section is section and
                       (number == 0 or not (entry.case.once or section.ROUNDS == 1 or entry.problems))]
                # Side by side where the cost is not what is asked.
                with concurrent.futures.ThreadPoolExecutor(section.TOGETHER) as pool:
                    list(pool.map(lambda entry: self.measure(entry, number), due))
        for entry in self.entries:
            entry.settle()

    def spent(self, section):
        """The cheap ones first, when there is time to measure again."""
        return sum(entry.seconds for entry in self.entries if entry.section is section)

    def measure(self, entry, number):
        began = time.monotonic()
        if began - self.began + entry.seconds > self.budget:
            if number == 0:
                self.note(entry, "no time was left")
            return
        try:
            entry.runs.append(entry.section.measure(self.build, entry.case))
            text = entry.section.line(entry.runs[-1])
        except Busy as problem:
            text = f"no measurement: {problem}"
            entry.busy.append(str(problem))
        except (Failed, OSError, subprocess.SubprocessError, ValueError, KeyError) as problem:
            text = f"FAILED: {problem}"
            self.note(entry, str(problem))
        entry.seconds = time.monotonic() - began
        print(f"{time.monotonic() - self.began:4.0f} s  {entry.section.NAME}, {entry.case.name}: {text}",
              file=sys.stderr, flush=True)

    @staticmethod
    def note(entry, problem):
        entry.problems.append(problem)
