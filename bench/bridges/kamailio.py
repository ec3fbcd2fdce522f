"""Kamailio 5.6: as the one who is called (transactions, and an answer that is always the same), and as a registrar."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from bridges.vmrd import free_port
from harness import Failed

START_SECONDS = 10
# A TCP worker alone: two that do TLS with OpenSSL 3 free each other's memory now and then.
COMMON = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
auto_aliases=no
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "textopsx.so"
"""
CALLED = """
disable_tcp=yes
listen=udp:127.0.0.1:{port}
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
REGISTRAR = """
disable_tcp=no
tcp_children=1
tcp_max_connections=20000
tcp_connection_lifetime=3700
listen={transport}:127.0.0.1:{port}
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "algorithm", "SHA-256")
modparam("registrar", "max_expires", 3600)
request_route {{
    if (!is_method("REGISTER")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    if (!pv_www_authenticate("$td", "correct horse battery", "0")) {{ www_challenge("$td", "1"); exit; }}
    if (!save("location")) {{ sl_reply_error(); }}
}}
"""
TLS = """
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "certificate", "{folder}/tls.crt")
modparam("tls", "private_key", "{folder}/tls.key")
modparam("tls", "tls_method", "TLSv1.2+")
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


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.crt"], check=True, capture_output=True)


class Kamailio:
    def __init__(self, config=CALLED, transport="udp"):
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kamailio-bench-"))
        self.port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        modules = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/kamailio/modules"))), None)
        if modules is None:
            raise Failed("Kamailio is not installed")
        if transport == "tls":
            make_certificate(self.folder)
        whole = COMMON + (TLS if transport == "tls" else "") + config
        (self.folder / "kamailio.cfg").write_text(whole.format(port=self.port, modules=modules, transport=transport, folder=self.folder))
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([program, "-DD", "-E", "-m", "256", "-f", self.folder / "kamailio.cfg", "-Y", self.folder,
                                         "-w", self.folder], stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not bound(self.port, "udp" if transport == "udp" else "tcp"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                text = (self.folder / "log").read_text()[-300:]
                self.close()
                raise Failed("Kamailio does not start: " + text)
            time.sleep(0.05)

    def cpu_seconds(self):
        return ticks(self.process.pid)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # with TLS it may wait for its own children
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def bound(port, kind):
    wanted, state = f":{port:04X}", "07" if kind == "udp" else "0A"  # 0A: it listens
    fields = (line.split() for line in open(f"/proc/net/{kind}").read().splitlines()[1:])
    return any(one[1].endswith(wanted) and one[3] == state for one in fields)
