#!/usr/bin/env python3
"""Runs the benchmarks: run.py BUILD [--only rooms,latency,churn,quality] [--runs N] [--json FILE].

Each case is one bridge in a process of its own and one load generator. Cases are interleaved: a run goes through all of
them before the next begins; medians over the runs are reported.
"""
import argparse
import base64
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

from peers import open_bridge

REPEAT_SECONDS = 260  # after that no case is measured once more: the default run takes 8 minutes
KEY_BYTES = {"none": 0, "aes-128-cm-80": 30, "aead-aes-256-gcm": 44}
LOAD_OPTIONS = ("mode", "legs", "talkers", "codec", "suite", "key", "silent", "loss", "jitter", "warmup", "seconds")


def case(section, engine, codec, legs, suite="none", **more):
    key = base64.b64encode(bytes(range(1, KEY_BYTES[suite] + 1))).decode()
    return {"section": section, "engine": engine, "codec": codec, "legs": legs, "suite": suite, "key": key,
            "silent": "level", "talkers": 3, "loss": 0, "jitter": 0, "warmup": 1.5, "seconds": 3, **more}


def room_cases():
    for codec in ("opus", "pcmu"):
        for legs in (4, 10, 50, 200, 1000):
            yield case("rooms", "vmr", codec, legs)
        for legs in (200, 1000):
            yield case("rooms", "vmr", codec, legs, "aead-aes-256-gcm")
        yield case("rooms", "vmr", codec, 1000, "aes-128-cm-80")
        for legs in (10, 50, 200):
            yield case("rooms", "janus", codec, legs)
    yield case("rooms", "vmr", "opus", 1000, "aead-aes-256-gcm", silent="none")


def latency_cases():
    for codec in ("opus", "pcmu"):
        for tick in (20, 10):
            yield case("latency", "vmr", codec, 10, mode="latency", tick=tick, warmup=10, seconds=10)
        yield case("latency", "janus", codec, 10, mode="latency", warmup=10, seconds=10)


def churn_cases():
    yield case("churn", "vmr", "opus", 50, "aead-aes-256-gcm", mode="latency", churn=1000, churn_rate=60, churn_after=10,
               warmup=10, seconds=24)


def quality_cases():
    for codec in ("opus", "pcmu"):
        for loss, jitter in ((0, 0), (5, 0), (10, 0), (20, 0), (0, 20), (0, 50), (0, 100), (10, 50)):
            yield case("quality", "vmr", codec, 4, mode="quality", loss=loss, jitter=jitter, warmup=8, seconds=12)


def start(build, each):
    """A generator and a bridge that know each other; the generator runs until its result is read."""
    command = [build / "bench" / "room-load"]
    for name in LOAD_OPTIONS:
        command += ["--" + name, str(each.get(name, "room"))]
    load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ports = load.stdout.readline().split()[1].split(",")
    try:
        bridge = open_bridge(build, [int(port) for port in ports], each)
    except Exception:
        load.kill()
        raise
    load.stdin.write("ports " + " ".join(map(str, bridge.ports)) + f"\npid {bridge.pid}\n")
    load.stdin.close()
    return load, bridge


def finish(load, bridge):
    try:
        text = load.stdout.read()
    finally:
        said = bridge.close()
    if load.wait() != 0:
        raise RuntimeError("room-load failed")
    return {**json.loads(text), **said}


def measure(build, each):
    return finish(*start(build, each))


def name_of(each):
    parts = [each["engine"], each["codec"], f"N={each['legs']}"]
    if each["suite"] != "none":
        parts.append(each["suite"])
    if each["silent"] == "none":
        parts.append("silent legs send nothing")
    if each["section"] == "latency" and each["engine"] == "vmr":
        parts.append(f"tick {each['tick']} ms")
    if each["section"] == "quality":
        parts.append(f"loss {each['loss']} %, jitter {each['jitter']} ms")
    return " ".join(parts)


def median(results):
    merged = {}
    for field, value in results[0].items():
        numeric = isinstance(value, (int, float))
        merged[field] = statistics.median(result[field] for result in results) if numeric else value
    return merged


def drift(series):
    """Median latency of the first and the last fifth, ms."""
    part = max(1, len(series) // 5)
    return [statistics.median(ms for _, ms in piece) for piece in (series[:part], series[-part:])]


def line_of(each, result):
    section = each["section"]
    if section == "rooms":
        heard = "all heard" if result["deaf"] == 0 else f"{result['deaf']} TONES MISSING"
        return (f"{result['us_per_leg_tick']:8.1f} µs  {result['per_core']:6.0f} a core  "
                f"{result['threads']:4.0f} threads  {result['rss_mb']:6.0f} MB  "
                f"{result['delivered'] * 100:5.1f} % delivered  {heard}, own tone {result['own_tone_db']:.0f} dB")
    if section == "latency":
        return (f"median {result['median_ms']:5.1f} ms  p95 {result['p95_ms']:5.1f} ms  {result['heard']}/{result['onsets']} onsets"
                + (f"  of it jitter buffer {result['jitter_delay_ms']:.0f} ms (target {result['jitter_target_ms']:.0f})"
                   if "jitter_delay_ms" in result else ""))
    if section == "churn":
        return (f"latency {result['drift'][0]:.1f} → {result['drift'][1]:.1f} ms  p95 {result['p95_ms']:.1f}  "
                f"{result['heard']}/{result['onsets']} onsets  threads {result['threads']}  files {result['files']}  "
                f"MB {[round(value, 1) for value in result['rss_mb']]}")
    return (f"gap {result['gap_percent']:4.1f} % longest {result['longest_gap_ms']:4.0f} ms, "
            f"{result['gaps_per_minute']:4.0f} a minute  level {result['level_dbfs']:.1f} dBFS  SNR {result['snr_db']:.1f} dB")


def run_one_by_one(build, cases, runs, report):
    began = time.monotonic()
    results = [[] for _ in cases]
    for number in range(runs):
        for each, found in zip(cases, results):
            if number > 0 and time.monotonic() - began > REPEAT_SECONDS:
                break
            try:
                found.append(measure(build, each))
            except (RuntimeError, OSError) as problem:
                print(f"{name_of(each)}: {problem}", file=sys.stderr)
            print(f"\r{sum(map(len, results))} measured ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for each, found in zip(cases, results):
        if found:
            report(each, median(found), found)


def run_together(build, cases, _runs, report):
    """Small rooms whose cost is not what is asked."""
    running = [start(build, each) for each in cases]
    for each, (load, bridge) in zip(cases, running):
        result = finish(load, bridge)
        report(each, result, [result])


SECTIONS = {"rooms": (room_cases, run_one_by_one), "latency": (latency_cases, run_one_by_one),
            "churn": (churn_cases, run_one_by_one), "quality": (quality_cases, run_together)}


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load_average": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by commas")
    parser.add_argument("--match", default="", help="only cases with these words in their name")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("bench-results.json"))
    options = parser.parse_args()
    build = options.build.resolve()
    entries = []

    def report(each, result, runs):
        if each["section"] == "churn":
            result["drift"] = drift(result["series"])
        print(f"{name_of(each):52s} {line_of(each, result)}", flush=True)
        shown = {field: value for field, value in each.items() if field != "key"}
        entries.append({"case": shown, "median": result, "runs": runs})

    began = time.time()
    host = machine()
    print(f"{host['cpu']}, {host['cores']} cores, load average {host['load_average']:.1f} at the start")
    for section in options.only.split(","):
        cases, runner = SECTIONS[section]
        chosen = [each for each in cases() if all(word in name_of(each).split() for word in options.match.split())]
        print(f"\n{section}")
        runner(build, chosen, options.runs if section == "rooms" else 1, report)
    host["load_average_after"] = os.getloadavg()[0]
    options.json.write_text(json.dumps({"machine": host, "seconds": time.time() - began, "results": entries}, indent=1))
    print(f"\n{time.time() - began:.0f} s; {options.json} has everything")


if __name__ == "__main__":
    main()
