"""bench/rooms: vmr-rtp-io with vmr-mixer, or a mesh of GStreamer's audiomixer, in one pipeline."""
import json
import subprocess

from harness import Failed, environment

OPTIONS = ("engine", "legs", "codec", "suite", "key", "tick", "churn", "churn-rate", "churn-after")


class AudioRoom:
    keys = ()

    def __init__(self, build, load_ports, settings):
        command = [build / "bench" / "audio-room", "--load-ports", ",".join(map(str, load_ports))]
        for name in OPTIONS:
            if name in settings:
                command += ["--" + name, str(settings[name])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment(build))
        self.pid = self.process.pid
        words = self.process.stdout.readline().split()
        if words[:1] != ["ports"]:
            self.close()
            raise Failed("audio-room does not start")
        self.ports = [int(word) for word in words[1:]]

    def close(self):
        """What the room says of itself."""
        try:
            said, _ = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Failed("audio-room does not end") from None
        if self.process.returncode != 0:
            raise Failed(f"audio-room ended with {self.process.returncode}")
        return json.loads(said or "{}")
