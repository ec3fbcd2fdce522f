#!/usr/bin/env python3
"""Runs each gst-launch-1.0 example of an element's document: it must start, and end by itself or
run until it is interrupted, without an error."""
import re
import shlex
import subprocess
import sys


def examples(text):
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        for command in block.replace("\\\n", " ").splitlines():
            if command.startswith("gst-launch-1.0"):
                yield command


def run(command):
    # No screen or loudspeaker here; everything else is as printed.
    command = command.replace("autovideosink", "fakesink").replace("autoaudiosink", "fakesink")
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=4)
    except subprocess.TimeoutExpired:
        process.send_signal(2)
        try:
            output, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            return "does not stop"
    bad = [line for line in output.splitlines() if re.search(r"ERROR|CRITICAL|WARNING|erroneous", line)]
    if bad or "PLAYING" not in output:
        return output
    return None


def main():
    commands = list(examples(open(sys.argv[1], encoding="utf-8").read()))
    if not commands:
        sys.exit("no example found")
    for command in commands:
        problem = run(command)
        if problem:
            sys.exit(f"{command}\n{problem}")


main()
