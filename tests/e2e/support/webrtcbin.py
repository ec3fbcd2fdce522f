#!/usr/bin/python3
"""Joins a room with GStreamer's webrtcbin: webrtcbin.py URL ROOM NAME FOLDER DESCRIPTION

Writes what is received to FOLDER: heard.raw (S16LE, 48 kHz, mono) and seen.png, the newest picture.
"""
import json
import sys

import gi

for library, version in (("Gst", "1.0"), ("GstSdp", "1.0"), ("GstWebRTC", "1.0"), ("Soup", "3.0")):
    gi.require_version(library, version)
from gi.repository import GLib, Gst, GstSdp, GstWebRTC, Soup  # noqa: E402

KEEP_AUDIO = ("opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1 "
              "! filesink buffer-mode=unbuffered sync=false location={}/heard.raw")
KEEP_VIDEO = "vp8dec ! videoconvert ! videorate ! video/x-raw,framerate=2/1 ! pngenc ! multifilesink sync=false location={}/seen.png"


class Client:
    def __init__(self, url, room, name, folder, description):
        self.folder = folder
        with open(description, encoding="utf-8") as file:
            text = " ".join(line for line in file if not line.startswith("#"))
        self.pipeline = Gst.parse_launch(text)
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("pad-added", self.on_pad_added)
        self.peer.connect("on-negotiation-needed", self.on_negotiation_needed)
        self.peer.connect("on-ice-candidate", lambda _, mline, candidate: self.send(
            {"type": "candidate", "candidate": candidate, "sdpMid": str(mline), "sdpMLineIndex": mline}))
        self.join = {"type": "join", "alias": room, "name": name}
        message = Soup.Message.new("GET", url.replace("http", "ws", 1) + "/api/v1/legs/webrtc")
        self.session = Soup.Session()
        self.session.websocket_connect_async(message, None, ["vmr.webrtc"], GLib.PRIORITY_DEFAULT, None, self.on_connected)

    def send(self, message):
        # webrtcbin calls from threads of its own
        GLib.idle_add(lambda: self.socket.send_text(json.dumps(message)))

    def on_connected(self, session, result):
        self.socket = session.websocket_connect_finish(result)
        self.socket.connect("message", lambda _, kind, data: self.on_message(json.loads(data.get_data())))
        self.socket.connect("closed", lambda _: sys.exit(0))
        self.send(self.join)

    def on_message(self, message):
        print(message["type"], message.get("state", ""), message.get("text", message.get("message", "")), flush=True)
        if message["type"] == "joined":
            self.pipeline.set_state(Gst.State.PLAYING)
        elif message["type"] == "answer":
            _, sdp = GstSdp.SDPMessage.new_from_text(message["sdp"])
            answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
            self.peer.emit("set-remote-description", answer, None)
        elif message["type"] == "candidate" and message["candidate"]:
            self.peer.emit("add-ice-candidate", message["sdpMLineIndex"], message["candidate"])

    def on_negotiation_needed(self, peer):
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer_created))

    def on_offer_created(self, promise):
        promise.wait()
        reply = promise.get_reply()  # the offer lives as long as the reply does
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, None)
        self.send({"type": "offer", "sdp": offer.sdp.as_text()})

    def on_pad_added(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        audio = pad.get_current_caps().get_structure(0).get_string("media") == "audio"
        text = ("rtpopusdepay ! " + KEEP_AUDIO) if audio else ("rtpvp8depay ! " + KEEP_VIDEO)
        branch = Gst.parse_bin_from_description("queue ! " + text.format(self.folder), True)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))


Gst.init(None)
client = Client(*sys.argv[1:6])
GLib.MainLoop().run()
