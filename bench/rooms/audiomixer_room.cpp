#include <stdexcept>

#include "bench/rooms/room.hpp"

namespace vmr::bench {
namespace {

// What GStreamer itself offers: one audiomixer for each listener, with everybody but themselves.
class AudiomixerRoom : public Room {
public:
    explicit AudiomixerRoom(const RoomOptions& options) : Room(options) {
        for (unsigned leg = 0; leg < options.legs; ++leg) {
            tees_.push_back(make("tee"));
            mixers_.push_back(make("audiomixer"));
            g_object_set(mixers_.back(), "output-buffer-duration", kFrame, "latency", kLatency, nullptr);
        }
        const std::string raw = "capsfilter caps=\"audio/x-raw,format=S16LE,channels=1,rate=" +
                                std::string(options.opus() ? "48000" : "8000") + "\"";
        in_ = "udpsrc name=net address=127.0.0.1 port=0 caps=\"application/x-rtp,media=audio,encoding-name=" +
              std::string(options.opus() ? "OPUS,clock-rate=48000,payload=111"
                                         : "PCMU,clock-rate=8000,payload=0") +
              "\" ! rtpjitterbuffer latency=40 ! " +
              (options.opus() ? "rtpopusdepay ! opusdec" : "rtppcmudepay ! mulawdec") +
              " ! audioconvert ! audioresample ! " + raw;
        out_ = raw + " ! " +
               (options.opus()
                    ? "opusenc bitrate=48000 complexity=5 audio-type=restricted-lowdelay ! rtpopuspay pt=111"
                    : "mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000") +
               " ! udpsink name=net sync=false async=false host=127.0.0.1";
    }

    void add(unsigned leg) override {
        GstElement* in = make_bin(in_);
        GstElement* out = make_bin(out_);
        gst_element_set_locked_state(in, TRUE);
        sources_.push_back(in);
        gst_element_link(in, tees_[leg]);
        gst_element_link(mixers_[leg], out);
        for (unsigned other = 0; other < options_.legs; ++other) {
            if (other != leg) {
                gst_element_link_many(tees_[leg], make("queue"), mixers_[other], nullptr);
            }
        }
        const ElementPtr source = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(in), "net"));
        const ElementPtr sink = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(out), "net"));
        gst_element_set_state(source.get(), GST_STATE_READY);  // opens the socket, which the sink shares
        GObject* socket = nullptr;
        int port = 0;
        g_object_get(source.get(), "used-socket", &socket, "port", &port, nullptr);
        g_object_set(sink.get(), "socket", socket, "close-socket", FALSE, "port",
                     static_cast<int>(load_port(leg)), nullptr);
        g_object_unref(socket);
        ports_.push_back(static_cast<unsigned>(port));
    }
    // A source that pushed before what is behind it has started would stop for good: in a loop of elements
    // their order is anybody's guess.
    void start() override {
        Room::start();
        for (GstElement* source : sources_) {
            gst_element_set_locked_state(source, FALSE);
            gst_element_sync_state_with_parent(source);
        }
    }
    void remove(unsigned) override { throw std::logic_error("no churn here"); }
    unsigned port(unsigned leg) override { return ports_[leg]; }

private:
    static constexpr guint64 kFrame = 20 * GST_MSECOND, kLatency = 40 * GST_MSECOND;

    std::vector<GstElement*> tees_, mixers_, sources_;
    std::vector<unsigned> ports_;
    std::string in_, out_;
};

}  // namespace

RoomPtr make_audiomixer_room(const RoomOptions& options) {
    return std::make_unique<AudiomixerRoom>(options);
}

}  // namespace vmr::bench
