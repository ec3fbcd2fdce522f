#!/usr/bin/env python3
"""Runs a test program under GStreamer's leaks tracer: no object may outlive gst_deinit()."""
import os
import subprocess
import sys

environment = dict(os.environ, GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7", GST_DEBUG_NO_COLOR="1")
environment.pop("GST_DEBUG_FILE", None)
done = subprocess.run(sys.argv[1:], env=environment, capture_output=True, text=True, timeout=300)
leaks = [line for line in done.stderr.splitlines() if "object-alive, " in line and "%s" not in line]
if done.returncode != 0 or "GST_TRACER" not in done.stderr:
    sys.exit(done.stdout[-4000:] + done.stderr[-4000:])
if leaks:
    sys.exit("\n".join(leaks[:40]))
