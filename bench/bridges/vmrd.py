"""vmrd itself: a room of its own configuration, which SIP calls enter as guests of an open room."""
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from bridges import sip
from harness import Failed, environment

START_SECONDS = 30
STOP_SECONDS = 30
PIPELINES = pathlib.Path(__file__).resolve().parents[2] / "pipelines"


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """vmrd with one room, "bench"."""

    def __init__(self, build):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vmrd-bench-"))
        self.process, self.port = None, free_port()
        try:
            self.start(build, self.configure(self.port))
        except BaseException:
            self.close()
            raise

    def configure(self, sip_port):
        path = self.folder / "vmrd.toml"
        path.write_text(f"""[http]
listen = []
[sip]
udp = ["127.0.0.1:{sip_port}"]
[media]
addresses = ["127.0.0.1"]
[[rooms]]
id = "bench"
encryption = "best_effort"
max_participants = 1000
[records]
path = "{self.folder}/calls.jsonl"
""")
        return path

    def start(self, build, config):
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([build / "daemon" / "vmrd", "--config", config, "--pipelines", PIPELINES],
                                        env=environment(build), stdout=self.log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        deadline = time.monotonic() + START_SECONDS
        while "vmr is running" not in (self.folder / "log").read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("vmrd does not start: " + (self.folder / "log").read_text()[-300:])
            time.sleep(0.05)

    def close(self):
        ended = self.process is None or self.process.poll() is None
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)  # at once
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if not ended:
            raise Failed(f"vmrd ended with {self.process.returncode}")


class Vmrd(Server):
    """... whose participants are SIP calls."""
    agent = None

    def __init__(self, build, load_ports, settings):
        super().__init__(build)
        try:
            self.agent = sip.UserAgent(self.port, "bench")
            bodies = [sip.offer(settings["codec"], settings["suite"], settings.get("key"),
                                load_ports[leg % len(load_ports)]) for leg in range(settings["legs"])]
            self.visitor = bodies[0]
            began = time.monotonic()
            calls = self.agent.call_all(bodies)
            self.setup_seconds = time.monotonic() - began
            self.agent.keep()
            self.ports = [call.port for call in calls]
            self.keys = [call.key for call in calls if call.key]
        except BaseException:
            self.close()
            raise

    def call_briefly(self):
        """One more calls, and hangs up when it is answered."""
        self.agent.call_briefly(self.visitor)

    def close(self):
        if self.agent:
            self.agent.close()
        super().close()
        return {"calls_per_second": len(self.ports) / self.setup_seconds} if hasattr(self, "ports") else {}
