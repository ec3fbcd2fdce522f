"""Kamailio 5.6 as the one who is called: transactions, and an answer that is always the same."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from bridges.vmrd import free_port
from harness import Failed

START_SECONDS = 10
CONFIG = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "textopsx.so"
request_route {{
    if (is_method("ACK")) {{ t_check_trans(); exit; }}
    if (is_method("INVITE")) {{
        t_newtran();
        append_to_reply("Contact: <sip:kamailio@127.0.0.1:{port}>\r\n");
        set_reply_body("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", "application/sdp");
        t_reply("200", "OK");
        exit;
    }}
    t_newtran();
    t_reply("200", "OK");
}}
"""


def ticks(pid):
    """CPU of a process and its children that live."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == pid or int(fields[1]) == pid:
                total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Kamailio:
    def __init__(self):
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kamailio-bench-"))
        self.port = free_port()
        modules = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/kamailio/modules"))), None)
        if modules is None:
            raise Failed("Kamailio is not installed")
        (self.folder / "kamailio.cfg").write_text(CONFIG.format(port=self.port, modules=modules))
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([program, "-DD", "-E", "-m", "256", "-f", self.folder / "kamailio.cfg", "-Y", self.folder,
                                         "-w", self.folder], stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_SECONDS
        while not bound(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                text = (self.folder / "log").read_text()[-300:]
                self.close()
                raise Failed("Kamailio does not start: " + text)
            time.sleep(0.05)

    def cpu_seconds(self):
        return ticks(self.process.pid)

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def bound(port):
    wanted = f":{port:04X}"
    return any(line.split()[1].endswith(wanted) for line in open("/proc/net/udp").read().splitlines()[1:])
