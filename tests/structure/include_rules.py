#!/usr/bin/env python3
"""Checks which part of the tree includes which: docs/architecture.md says why."""
import pathlib
import re
import sys

# The longest prefix that fits a file is its part; each part may include itself and what is listed.
ALLOWED = {
    "base": [],
    "schemas": ["base"],
    "srtp": ["base"],
    "plugins": ["base"],
    "plugins/duplex": ["base"],
    "plugins/vmr-mixer": ["base"],
    "plugins/pin-ivr": ["base", "plugins/duplex"],
    "plugins/lobby-gate": ["base", "plugins/duplex"],
    "plugins/cdr-tap": ["base"],
    "plugins/rtp-io": ["base", "srtp"],
    "daemon/room": ["base/source_network.hpp", "base/utf8.hpp"],
    "daemon/sdp": ["base"],
    "daemon/bfcp": ["base"],
    "daemon/stun": ["base"],
    "daemon/ops": ["base", "schemas"],
    "daemon/store": ["base", "schemas"],
    "daemon/api": ["base", "schemas"],
    "daemon/legs": ["base"],
    "daemon/legs/sip/message": ["base"],
    "daemon/legs/sip/network": ["base", "daemon/stun", "daemon/legs/sip/message"],
    "daemon/legs/sip/dialog": ["base", "daemon/legs", "daemon/legs/sip/message"],
    "daemon/legs/sip/routing": ["base", "daemon/legs", "daemon/legs/sip/message", "daemon/legs/sip/dialog",
                                "daemon/legs/sip/network"],
    "daemon/legs/sip/trunks": ["base", "daemon/legs/sip/message", "daemon/legs/sip/dialog",
                               "daemon/legs/sip/network", "daemon/legs/sip/routing"],
    "daemon/legs/sip/subscriptions": ["base", "daemon/legs", "daemon/legs/sip/message", "daemon/legs/sip/dialog"],
    "daemon/legs/sip/registrar": ["base", "daemon/legs", "daemon/legs/sip/message", "daemon/legs/sip/network"],
    "daemon/legs/sip": ["base", "daemon/legs", "daemon/legs/sip/message", "daemon/legs/sip/dialog",
                        "daemon/legs/sip/network", "daemon/legs/sip/routing", "daemon/legs/sip/registrar",
                        "daemon/legs/sip/subscriptions", "daemon/legs/sip/trunks"],
    "daemon/legs/webrtc": ["base", "daemon/legs", "daemon/api/signalling.hpp"],
    "daemon/media/transport": ["base", "srtp", "daemon/stun"],
    "daemon/media": ["base", "daemon/bfcp", "daemon/media/transport", "daemon/sdp", "daemon/legs"],
    "daemon/bridge": ["base", "schemas", "daemon/room", "daemon/media", "daemon/media/transport", "daemon/sdp",
                      "daemon/legs", "daemon/api", "daemon/ops", "daemon/store"],
    "daemon": ["base", "schemas", "daemon/bridge", "daemon/room", "daemon/media", "daemon/media/transport",
               "daemon/legs", "daemon/legs/sip", "daemon/legs/sip/routing", "daemon/legs/sip/network",
               "daemon/legs/webrtc", "daemon/api", "daemon/ops", "daemon/store",
               "daemon/sdp"],
    "tools/vmrctl": ["base", "schemas", "daemon/ops"],
    "tools/room-table": ["daemon/room"],
}
INCLUDE = re.compile(r'^\s*#include "((?:base|schemas|srtp|plugins|daemon|tools)/[^"]+)"', re.M)


def part_of(path):
    fits = [part for part in ALLOWED if path == part or path.startswith(part + "/")]
    return max(fits, key=len) if fits else None


def main(root):
    problems = []
    for part in ("base", "schemas", "srtp", "plugins", "daemon", "tools"):
        for file in sorted((root / part).rglob("*.[ch]pp")):
            name = file.relative_to(root).as_posix()
            own = part_of(name)
            if own is None:
                problems.append(f"{name}: belongs to no part that include_rules.py knows")
                continue
            for included in INCLUDE.findall(file.read_text()):
                target = part_of(included)
                if target == own or target in ALLOWED[own] or included in ALLOWED[own]:
                    continue
                # The plugin's entry point registers every element.
                if name == "plugins/plugin.cpp" and included.startswith("plugins/"):
                    continue
                problems.append(f"{name}: must not include {included}")
    print("\n".join(problems) or "every include is allowed")
    return 1 if problems else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
