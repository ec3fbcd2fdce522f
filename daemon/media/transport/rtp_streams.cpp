// RtpSession's media: send chains, received streams, retransmission.
#include <algorithm>
#include <cstdio>

#include "base/guard.hpp"
#include "daemon/media/transport/rtp_session.hpp"

namespace vmr::media {

namespace {

constexpr size_t kMaxUnprepared = 16;  // jitter buffers

// "application/x-rtp-pt-map", original payload type → RTX payload type
StructurePtr payload_map(const std::map<uint8_t, uint8_t>& rtx) {
    StructurePtr map(gst_structure_new_empty("application/x-rtp-pt-map"));
    for (const auto& [payload_type, original] : rtx) {
        gst_structure_set(map.get(), std::to_string(original).c_str(), G_TYPE_UINT,
                          static_cast<guint>(payload_type), nullptr);
    }
    return map;
}

GstPadProbeReturn on_blocked(GstPad*, GstPadProbeInfo*, gpointer) {
    return GST_PAD_PROBE_OK;
}

}  // namespace

struct RtpSession::Watch {
    RtpSession* session;
    StreamInfo info;
    std::shared_ptr<PictureReturn> picture;
    bool was_taken = false;  // the pad's thread alone
};

// An unlinked pad would stop the jitter buffer for every payload type of its SSRC.
GstPadProbeReturn RtpSession::drop_if_unlinked(GstPad* pad, GstPadProbeInfo*, gpointer data) {
    Watch& watch = *static_cast<Watch*>(data);
    const int64_t now = g_get_monotonic_time();
    if (gst_pad_is_linked(pad)) {
        watch.picture->note_taken(now);
        watch.was_taken = true;
        return GST_PAD_PROBE_OK;
    }
    if (watch.was_taken && watch.picture->returns(now)) {
        guard(nullptr, [&] { watch.session->events_.on_stream_made(watch.info, PadPtr::ref(pad)); });
    }
    return GST_PAD_PROBE_DROP;
}

AudioRtp* RtpSession::audio_of(unsigned media) const {
    const std::lock_guard lock(audio_mutex_);
    const auto found = audio_.find(media);
    return found == audio_.end() ? nullptr : found->second.get();
}

std::vector<AudioRtp*> RtpSession::audio_lines() const {
    std::vector<AudioRtp*> lines;
    const std::lock_guard lock(audio_mutex_);
    for (const auto& [media, audio] : audio_) {
        lines.push_back(audio.get());
    }
    return lines;
}

// False: that media has no messages.
bool RtpSession::take_data(unsigned media, Bytes packet) {
    Bytes message;
    {
        const std::lock_guard lock(data_mutex_);
        const auto found = data_.find(media);
        if (found == data_.end()) {
            return false;
        }
        message = found->second.read(packet, std::chrono::steady_clock::now());
    }
    if (!message.empty()) {
        events_.on_message_read(media, message);
    }
    return true;
}

bool RtpSession::send_message(unsigned media, Bytes message) {
    std::array<uint8_t, kMaxDatagram> space;
    size_t size = 0;
    {
        const std::lock_guard lock(data_mutex_);
        const auto found = data_.find(media);
        size =
            found == data_.end() ? 0 : found->second.write(message, std::chrono::steady_clock::now(), space);
    }
    return size != 0 && send(Component::rtp, {space.data(), size});
}

Status RtpSession::add_media(const MediaParams& media) {
    if (media.data) {
        const std::lock_guard lock(data_mutex_);
        const auto line = data_
                              .try_emplace(media.index, static_cast<uint16_t>(g_random_int_range(0, 0x8000)),
                                           g_random_int(), std::chrono::steady_clock::now())
                              .first;
        line->second.set({media.send_ssrc, media.send_payload, media.clock_rate});
    }
    if (media.data) {
        router_.set_media(media);
        return Ok{};
    }
    if (media.audio) {
        AudioRtpHost& host = *this;
        {
            const std::lock_guard lock(audio_mutex_);
            auto& audio = audio_[media.index];
            if (!audio) {
                audio = std::make_unique<AudioRtp>(bin_.get(), media.index, cname_, host);
            }
        }
        audio_of(media.index)->set(media);
    } else if (!rtpbin_) {
        if (Status status = build_rtpbin(); !status) {
            return status;
        }
    }
    media_[media.index] = media;
    router_.set_media(media);
    return media.audio ? Status(Ok{}) : add_to_rtpbin(media);
}

Status RtpSession::add_to_rtpbin(const MediaParams& media) {
    g_signal_emit_by_name(rtpbin_.get(), "clear-pt-map");
    if (rtx_receive_) {
        const StructurePtr map = payload_map(router_.rtx_map());
        g_object_set(rtx_receive_.get(), "payload-type-map", map.get(), nullptr);
    }
    if (!media.send_caps) {
        return Ok{};
    }
    SendChain& chain = sends_[media.index];
    chain.params = media;
    if (!chain.pad) {
        if (Status status = build_send_chain(chain); !status) {
            sends_.erase(media.index);
            return status;
        }
    }
    g_object_set(chain.caps.get(), "caps", media.send_caps.get(), nullptr);
    update_rtx(chain);
    update_sending(chain);
    return Ok{};
}

Status RtpSession::build_send_chain(SendChain& chain) {
    chain.caps = add_element("capsfilter");
    const bool retransmits = !chain.params.send_rtx.empty() && chain.params.send_rtx_ssrc != 0;
    if (retransmits) {
        chain.rtx = add_element("rtprtxsend");
    }
    chain.funnel_pad = PadPtr::adopt(gst_element_request_pad_simple(funnel_.get(), "sink_%u"));
    if (!chain.caps || !chain.funnel_pad || (retransmits && !chain.rtx)) {
        return Error{"GStreamer's rtpmanager plugin is not installed"};
    }
    GstElement* last = retransmits ? chain.rtx.get() : chain.caps.get();
    auto last_src = PadPtr::adopt(gst_element_get_static_pad(last, "src"));
    auto first_sink = PadPtr::adopt(gst_element_get_static_pad(chain.caps.get(), "sink"));
    auto first_src = PadPtr::adopt(gst_element_get_static_pad(chain.caps.get(), "src"));
    // Before RTX, so that FEC and what is in RED can be sent again, too.
    gst_pad_add_probe(first_src.get(), GST_PAD_PROBE_TYPE_BUFFER, on_picture_sent, chain.sending.get(),
                      nullptr);
    if ((retransmits && !gst_element_link(chain.caps.get(), chain.rtx.get())) ||
        gst_pad_link(last_src.get(), chain.funnel_pad.get()) != GST_PAD_LINK_OK) {
        return Error{"the send chain cannot be linked"};
    }
    const std::string name = "rtp_sink_" + std::to_string(chain.params.index);
    chain.pad = PadPtr::adopt(gst_ghost_pad_new(name.c_str(), first_sink.get()));
    gst_pad_set_active(chain.pad.get(), TRUE);
    gst_element_add_pad(bin_.get(), chain.pad.get());
    return Ok{};
}

void RtpSession::update_rtx(const SendChain& chain) {
    if (!chain.rtx) {
        return;
    }
    const StructurePtr payloads = payload_map(chain.params.send_rtx);
    const StructurePtr ssrcs(gst_structure_new("application/x-rtp-ssrc-map",
                                               std::to_string(chain.params.send_ssrc).c_str(), G_TYPE_UINT,
                                               chain.params.send_rtx_ssrc, nullptr));
    g_object_set(chain.rtx.get(), "payload-type-map", payloads.get(), "ssrc-map", ssrcs.get(),
                 "max-size-packets", 0u, "max-size-time", 1000u, nullptr);
}

GstPad* RtpSession::send_pad(unsigned media) const {
    if (const AudioRtp* audio = audio_of(media)) {
        return audio->sink();
    }
    const auto chain = sends_.find(media);
    return chain == sends_.end() ? nullptr : chain->second.pad.get();
}

GstCaps* RtpSession::on_pt_map_requested(GstElement*, guint, guint pt, gpointer self) {
    return static_cast<RtpSession*>(self)->router_.caps_of(static_cast<uint8_t>(pt)).release();
}

// rtprtxreceive turns RTX packets into those that were lost. It is always there, as
// rtpbin asks only once, and passes everything while its map is empty.
GstElement* RtpSession::on_aux_receiver_requested(GstElement*, guint session_id, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    session->rtx_receive_ = ElementPtr::adopt(gst_element_factory_make("rtprtxreceive", nullptr));
    if (!session->rtx_receive_) {
        return nullptr;
    }
    GstElement* bin = gst_bin_new(nullptr);
    gst_bin_add(GST_BIN(bin), session->rtx_receive_.get());
    auto repaired = PadPtr::adopt(gst_element_get_static_pad(session->rtx_receive_.get(), "src"));
    gst_pad_add_probe(repaired.get(), GST_PAD_PROBE_TYPE_BUFFER, on_repaired_received, session, nullptr);
    for (const char* direction : {"sink", "src"}) {
        auto pad = PadPtr::adopt(gst_element_get_static_pad(session->rtx_receive_.get(), direction));
        const std::string name = direction + ("_" + std::to_string(session_id));
        gst_element_add_pad(bin, gst_ghost_pad_new(name.c_str(), pad.get()));
    }
    return bin;
}

// A sender report may come before the first packet: then nobody knows yet which media it is of.
void RtpSession::on_jitterbuffer_made(GstElement*, GstElement* jitterbuffer, guint, guint ssrc,
                                      gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    guard(nullptr, [&] {
        if (session->router_.media_of(ssrc)) {
            session->prepare(jitterbuffer, ssrc);
            return;
        }
        g_object_set(jitterbuffer, "do-retransmission", FALSE, nullptr);
        const std::lock_guard lock(session->streams_mutex_);
        if (session->unprepared_.size() < kMaxUnprepared) {
            session->unprepared_[ssrc] = ElementPtr::ref(jitterbuffer);
        }
    });
}

// NACKs go only to peers that negotiated them: rtpsession does not look.
void RtpSession::prepare(GstElement* jitterbuffer, uint32_t ssrc) {
    const auto media = router_.media_of(ssrc);
    const bool retransmits = media && router_.wants_nack(*media);
    g_object_set(jitterbuffer, "do-retransmission", static_cast<gboolean>(retransmits), nullptr);
    omit_fec(jitterbuffer, ssrc);
}

void RtpSession::prepare_late(uint32_t ssrc) {
    ElementPtr jitterbuffer;
    {
        const std::lock_guard lock(streams_mutex_);
        if (const auto waiting = unprepared_.find(ssrc); waiting != unprepared_.end()) {
            jitterbuffer = std::move(waiting->second);
            unprepared_.erase(waiting);
        }
    }
    if (jitterbuffer) {
        prepare(jitterbuffer.get(), ssrc);
    }
}

void RtpSession::on_pad_added(GstElement*, GstPad* pad, gpointer self) {
    guint session_id = 0, ssrc = 0, pt = 0;
    const GCharPtr name(gst_pad_get_name(pad));
    if (std::sscanf(name.get(), "recv_rtp_src_%u_%u_%u", &session_id, &ssrc, &pt) != 3) {
        return;
    }
    auto* session = static_cast<RtpSession*>(self);
    guard(nullptr, [&] {
        session->prepare_late(ssrc);
        const unsigned media = session->router_.media_of(ssrc).value_or(0);
        session->add_stream(pad, {media, ssrc, static_cast<uint8_t>(pt)});
    });
}

void RtpSession::add_stream(GstPad* target, const StreamInfo& info) {
    Stream stream{info, nullptr, PadPtr::ref(target), 0};
    {
        std::lock_guard lock(streams_mutex_);
        if (closing_) {
            return;  // nobody is left who would release it
        }
        const std::string name =
            "rtp_src_" + std::to_string(info.media) + "_" + std::to_string(next_stream_++);
        stream.pad = PadPtr::adopt(gst_ghost_pad_new(name.c_str(), target));
        auto& picture = pictures_[info.media];
        if (!picture) {
            picture = std::make_shared<PictureReturn>();
        }
        gst_pad_add_probe(
            stream.pad.get(),
            static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
            drop_if_unlinked, new Watch{this, info, picture},
            [](gpointer watch) { delete static_cast<Watch*>(watch); });
        stream.block = gst_pad_add_probe(stream.pad.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, on_blocked,
                                         nullptr, nullptr);
        streams_.push_back(stream);
    }
    gst_pad_set_active(stream.pad.get(), TRUE);
    gst_element_add_pad(bin_.get(), stream.pad.get());
    events_.on_stream_made(info, stream.pad);
}

void RtpSession::on_audio_started(const StreamInfo& stream, PadPtr pad) {
    events_.on_stream_made(stream, std::move(pad));
}

void RtpSession::set_sending(unsigned media, bool sending) {
    if (AudioRtp* audio = audio_of(media)) {
        audio->set_sending(sending);
    }
}

void RtpSession::report_audio() {
    if (ready_) {
        for (AudioRtp* audio : audio_lines()) {
            audio->report();
        }
    }
}

void RtpSession::release_stream(GstPad* pad) {
    for (AudioRtp* audio : audio_lines()) {
        if (audio->source() == pad) {
            audio->release_stream();
        }
    }
    std::lock_guard lock(streams_mutex_);
    for (Stream& stream : streams_) {
        if (stream.pad.get() == pad && stream.block != 0) {
            gst_pad_remove_probe(pad, std::exchange(stream.block, 0));
        }
    }
}

void RtpSession::on_pad_removed(GstElement*, GstPad* pad, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    Stream gone;
    {
        std::lock_guard lock(session->streams_mutex_);
        const auto found = std::ranges::find_if(
            session->streams_, [&](const Stream& stream) { return stream.target.get() == pad; });
        if (found == session->streams_.end()) {
            return;
        }
        gone = *found;
        session->streams_.erase(found);
    }
    if (gone.block != 0) {
        gst_pad_remove_probe(gone.pad.get(), gone.block);
    }
    gst_pad_set_active(gone.pad.get(), FALSE);
    gst_element_remove_pad(session->bin_.get(), gone.pad.get());
    guard(nullptr, [&] { session->events_.on_stream_gone(gone.info, gone.pad); });
}

void RtpSession::on_bye_received(GstElement*, guint, guint ssrc, gpointer self) {
    auto* session = static_cast<RtpSession*>(self);
    guard(nullptr, [&] {
        if (const auto media = session->router_.media_of(ssrc)) {
            session->events_.on_bye_read(*media, ssrc);
        }
    });
}

// rtpsession says BYE when what it sends has ended.
void RtpSession::send_bye() {
    for (AudioRtp* audio : audio_lines()) {
        audio->send_bye();
    }
    if (!rtpbin_) {
        return;
    }
    auto source = PadPtr::adopt(gst_element_get_static_pad(funnel_.get(), "src"));
    gst_pad_push_event(source.get(), gst_event_new_eos());
}

}  // namespace vmr::media
