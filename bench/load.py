"""A bridge and a load generator that know each other."""
import json
import subprocess

from harness import Failed

OPTIONS = ("mode", "legs", "talkers", "codec", "suite", "key", "silent", "loss", "jitter", "speech", "record", "warmup",
           "seconds")
PATIENCE = 30  # seconds that a run may take longer than it measures


def measure(build, settings, open_bridge, meanwhile=None):
    """What the generator and the bridge say of one run. `meanwhile(bridge)` goes on beside it and returns fields."""
    command = [build / "bench" / "room-load"]
    for name in OPTIONS:
        if name in settings:
            command += ["--" + name, str(settings[name])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        try:
            ports = [int(port) for port in load.stdout.readline().split()[1].split(",")]
            bridge = open_bridge(build, ports, settings)
            try:
                lines = ["ports " + " ".join(map(str, bridge.ports))]
                lines += ["keys " + " ".join(bridge.keys)] if bridge.keys else []
                load.stdin.write("\n".join([*lines, f"pid {bridge.pid}\n"]))
                load.stdin.flush()
                more = meanwhile(bridge) if meanwhile else {}
                said, _ = load.communicate(timeout=settings["warmup"] + settings["seconds"] + PATIENCE)
            finally:
                more_of_bridge = bridge.close()
        except BaseException:
            load.kill()
            raise
    if load.returncode != 0 or not said:
        raise Failed("room-load ended early")
    return {**json.loads(said), **more_of_bridge, **more}
