"""A SIP user agent that places many calls over UDP (RFC 3261), without authentication, and offers one audio stream."""
import re
import secrets
import selectors
import socket
import threading
import time

from harness import Failed

WINDOW = 10        # calls that have not been answered yet
CALL_SECONDS = 15  # for one answer
RESEND_SECONDS = 0.5
CODECS = {"opus": (111, "opus/48000/2"), "pcmu": (0, "PCMU/8000")}
SUITES = {"aes-128-cm-80": "AES_CM_128_HMAC_SHA1_80", "aead-aes-256-gcm": "AEAD_AES_256_GCM"}


class Call:
    """One dialog: `port` and `key` are the answerer's."""

    def __init__(self, number, body):
        self.number, self.body = number, body
        self.id, self.tag = secrets.token_hex(8), secrets.token_hex(4)
        self.sequence = 1
        self.to = self.target = None
        self.port = self.key = None
        self.asked = self.sent = 0.0
        self.problem = None
        self.settled = threading.Event()

    def accepted(self, head, body):
        self.to = header(head, "To")
        self.target = re.search(r"<([^>]*)>", header(head, "Contact") or "")[1]
        self.port = int(re.search(r"^m=audio (\d+)", body, re.M)[1])
        crypto = re.search(r"^a=crypto:.* inline:([^|\s]+)", body, re.M)
        self.key = crypto[1] if crypto else None

    def refused(self, head):
        self.problem = head.splitlines()[0]
        self.settled.set()

    def check(self):
        if self.problem:
            raise Failed(f"call {self.number} is refused: {self.problem}")


def header(head, name):
    found = re.search(rf"^{name}:\s*(.*?)\s*$", head, re.M | re.I)
    return found[1] if found else None


def offer(codec, suite, key, port):
    payload, mapping = CODECS[codec]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
             f"m=audio {port} RTP/{'SAVP' if suite in SUITES else 'AVP'} {payload}", f"a=rtpmap:{payload} {mapping}",
             "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=rtcp-mux", "a=sendrecv"]
    lines += [f"a=crypto:1 {SUITES[suite]} inline:{key}"] if suite in SUITES else []
    return "\r\n".join([*lines, ""])


class UserAgent:
    def __init__(self, server_port, room):
        self.server = ("127.0.0.1", server_port)
        self.uri = f"sip:{room}@127.0.0.1:{server_port}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.port = self.socket.getsockname()[1]
        self.calls = {}
        self.closed = threading.Event()
        self.keeper = None

    def call_all(self, bodies):
        """Calls, in the order of `bodies`, that have all been answered."""
        waiting = [Call(number, body) for number, body in enumerate(bodies)]
        calls, open_calls = list(waiting), []
        while waiting or open_calls:
            while waiting and len(open_calls) < WINDOW:
                call = waiting.pop(0)
                self.calls[call.id] = call
                call.asked = time.monotonic()
                open_calls.append(call)
            self.resend(open_calls)
            self.receive(0.05)
            open_calls = [call for call in open_calls if not call.settled.is_set()]
        for call in calls:
            call.check()
        return calls

    def call_briefly(self, body):
        """Calls and hangs up when it is answered, while keep() receives."""
        call = Call("visitor", body)
        self.calls[call.id] = call
        self.request("INVITE", call, call.sequence, self.uri, f"<{self.uri}>", body, call.id)
        if not call.settled.wait(CALL_SECONDS):
            raise Failed("a call is not answered")
        call.check()
        self.hang_up(call)

    def hang_up(self, call):
        self.request("BYE", call, call.sequence + 1, call.target, call.to)
        del self.calls[call.id]

    def resend(self, open_calls):
        now = time.monotonic()
        for call in open_calls:
            if now - call.asked > CALL_SECONDS:
                raise Failed(f"call {call.number} is not answered")
            if now - call.sent > RESEND_SECONDS:
                call.sent = now
                self.request("INVITE", call, call.sequence, self.uri, f"<{self.uri}>", call.body, call.id)

    def request(self, method, call, sequence, target, to, body="", branch=None):
        lines = [f"{method} {target} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{branch or secrets.token_hex(6)}",
                 "Max-Forwards: 70", f'From: "{call.number}" <sip:{call.number}@127.0.0.1>;tag={call.tag}', f"To: {to}",
                 f"Call-ID: {call.id}", f"CSeq: {sequence} {method}", f"Contact: <sip:bench@127.0.0.1:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        self.socket.sendto("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode(), self.server)

    def receive(self, seconds):
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            if not selector.select(seconds):
                return
        head, _, body = self.socket.recv(65536).decode(errors="replace").partition("\r\n\r\n")
        if head.startswith("SIP/2.0"):
            self.on_response(int(head[8:11]), head, body)
        elif not head.startswith("ACK"):
            copied = re.findall(r"^(?:via|from|to|call-id|cseq):.*?$", head, re.M | re.I)
            text = "\r\n".join(["SIP/2.0 200 OK", *(line.strip() for line in copied), "Content-Length: 0", "", ""])
            self.socket.sendto(text.encode(), self.server)

    def on_response(self, status, head, body):
        call = self.calls.get(header(head, "Call-ID"))
        if call is None or call.problem or not (header(head, "CSeq") or "").endswith("INVITE") or status < 200:
            return
        if status >= 300:
            call.refused(head)
            return
        first = call.port is None
        if first:
            call.accepted(head, body)
        self.request("ACK", call, call.sequence, call.target, call.to)
        if first:
            call.settled.set()

    def keep(self):
        """Answers what the server asks from now on, on a thread of its own."""
        self.keeper = threading.Thread(target=self.keep_until_closed, daemon=True)
        self.keeper.start()

    def keep_until_closed(self):
        while not self.closed.is_set():
            self.receive(0.1)

    def close(self):
        self.closed.set()
        if self.keeper:
            self.keeper.join()
        self.socket.close()
