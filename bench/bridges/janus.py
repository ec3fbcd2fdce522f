"""The audiobridge of Debian's janus: one room, participants over plain RTP, driven through its Unix socket."""
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from harness import Failed

START_SECONDS = 10
ANSWER_SECONDS = 10
START_ATTEMPTS = 8
LONGEST = 1 << 20    # bytes of an answer: who joins is told of everybody
JOIN_SECONDS = 25  # for all participants


class Janus:
    keys = ()

    def __init__(self, _build, load_ports, settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="janus-bench-"))
        try:
            self.configure()
            # Its socket's thread ends if it runs before its plugin has noted that it is initialized: again, then.
            for _attempt in range(START_ATTEMPTS):
                if self.start():
                    break
            else:
                raise Failed("janus does not start: " + (self.folder / "log").read_text()[-300:])
            self.ports = self.join_all(load_ports, settings)
        except Exception:
            self.close()
            raise

    def configure(self):
        library = pathlib.Path(next(pathlib.Path("/usr/lib").glob("*/janus")))
        for kind, plugin in (("plugins", "libjanus_audiobridge.so"), ("transports", "libjanus_pfunix.so")):
            (self.folder / kind).mkdir()
            (self.folder / kind / plugin).symlink_to(library / kind / plugin)
        api = self.folder / "api"
        (self.folder / "janus.jcfg").write_text(f"""general: {{
    configs_folder = "{self.folder}"
    plugins_folder = "{self.folder}/plugins"
    transports_folder = "{self.folder}/transports"
    events_folder = "{self.folder}/none"
    loggers_folder = "{self.folder}/none"
    debug_level = 2
    interface = "127.0.0.1"
    session_timeout = 0
}}
nat: {{ ice_ignore_list = "vmnet" }}
events: {{ broadcast = false }}
""")
        (self.folder / "janus.plugin.audiobridge.jcfg").write_text(
            'general: { local_ip = "127.0.0.1"\n rtp_port_range = "20000-40000" }\n')
        (self.folder / "janus.transport.pfunix.jcfg").write_text(
            f'general: {{ enabled = true\n json = "compact"\n path = "{api}" }}\nadmin: {{ admin_enabled = false }}\n')

    def start(self):
        api = self.folder / "api"
        api.unlink(missing_ok=True)
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(["janus", "-F", str(self.folder), "-C", str(self.folder / "janus.jcfg")],
                                            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))  # it may crash on its way out
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.settimeout(ANSWER_SECONDS)
            try:
                self.socket.connect(str(api))
                self.session = self.ask("success", janus="create")["data"]["id"]
                return True
            except OSError:
                self.socket.close()
                time.sleep(0.05)
        self.stop()
        return False

    def ask(self, wanted, **message):
        """Sends a request and returns the first answer of kind `wanted`."""
        self.socket.send(json.dumps({"transaction": "bench", **message}).encode())
        while True:
            packet = self.socket.recv(LONGEST)
            if not packet:
                raise ConnectionError("janus has closed its socket")
            answer = json.loads(packet)
            if answer["janus"] == "error":
                raise Failed(answer["error"]["reason"])
            data = answer.get("plugindata", {}).get("data", {})
            if "error" in data:
                raise Failed(data["error"])
            if answer["janus"] == wanted and data.get("audiobridge", "joined") in ("joined", "created") \
                    and ("id" in data or "room" in data or not data) and not data.get("participants_only"):
                if wanted != "event" or "rtp" in data:
                    return answer

    def join_all(self, load_ports, settings):
        opus = settings["codec"] == "opus"
        ports = []
        deadline = time.monotonic() + JOIN_SECONDS
        for leg in range(settings["legs"]):
            if time.monotonic() > deadline:
                raise Failed(f"{leg} of {settings['legs']} had joined after {JOIN_SECONDS} s")
            handle = self.ask("success", janus="attach", session_id=self.session, plugin="janus.plugin.audiobridge")
            address = {"session_id": self.session, "handle_id": handle["data"]["id"]}
            if leg == 0:
                self.ask("success", janus="message", **address, body={
                    "request": "create", "room": 1, "sampling_rate": 48000 if opus else 8000,
                    "allow_rtp_participants": True, "audiolevel_ext": True, "audiolevel_event": False})
            joined = self.ask("event", janus="message", **address, body={
                "request": "join", "room": 1, "codec": settings["codec"], "muted": False, "display": str(leg),
                "rtp": {"ip": "127.0.0.1", "port": load_ports[leg % len(load_ports)],
                        "payload_type": 111 if opus else 0, "audiolevel_ext": 1}})
            ports.append(joined["plugindata"]["data"]["rtp"]["port"])
        # With keepalives off (session_timeout = 0) nothing is said any more.
        return ports

    def stop(self):
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        if hasattr(self, "session"):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}
