"""What the sections with audio rooms have in common."""
import base64

import load
from bridges.audio_room import AudioRoom
from bridges.janus import Janus
from harness import Case

CM, GCM = "aes-128-cm-80", "aead-aes-256-gcm"
KEY_BYTES = {CM: 30, GCM: 44}
CODECS = {"opus": "Opus", "pcmu": "PCMU"}


def room_case(engine, codec, legs, suite="none", case=None, extra="", **settings):
    settings = {"engine": engine, "codec": codec, "legs": legs, "suite": suite, "warmup": 1 if legs < 200 else 2,
                "seconds": 1.5, **settings}
    if suite in KEY_BYTES:
        settings["key"] = base64.b64encode(bytes(range(1, KEY_BYTES[suite] + 1))).decode()
    name = f"{engine} {codec} N={legs}" + (f" {suite}" if suite != "none" else "") + extra
    return Case(name, settings, **(case or {}))


def measure(build, settings):
    return load.measure(build, settings, Janus if settings["engine"] == "janus" else AudioRoom)
