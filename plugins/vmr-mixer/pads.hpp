// The request pads, and what each keeps.
#pragma once
#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "audio_format.hpp"
#include "base/gst_ptr.hpp"
#include "bitrate_ladder.hpp"
#include "decode_chooser.hpp"
#include "icons.hpp"
#include "level_control.hpp"
#include "push_pool.hpp"
#include "rtp_leg.hpp"
#include "rtp_stream.hpp"
#include "sample_queue.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

class VideoIntake;

enum class Kind { audio, video, content };

// What audio and video sink pads have in common: who this is.
struct Identity {
    unsigned index = 0;  // the participant
    std::atomic<bool> visible = true;
    std::atomic<bool> mute = false;
    std::atomic<Padlock> padlock = Padlock::none;
    std::string name() const;
    void set_name(const char* name);

private:
    mutable std::mutex lock_;  // leaf
    std::string name_;
};

struct AudioInput : Identity {
    std::atomic<double> volume = 1.0;
    std::atomic<double> level_db = kSilenceDb;
    std::atomic<bool> talking = false;
    std::mutex lock;                 // leaf; guards the two below
    SampleQueue queue;               // raw audio
    std::shared_ptr<RtpLeg> leg;     // RTP, by caps; then the queue is not used
    std::atomic<bool> asks = false;  // upstream hands over what has come when it is asked to
    // While it is asked: what comes carries its arrival, which is before this running time. 0: it is not.
    std::atomic<GstClockTime> asking = 0;
    // Of the engine's thread:
    DecodeChooser::Candidate candidate;
    LevelControl control;
};

// The newest picture; older ones are let go at once.
struct Picture {
    BufferPtr buffer;
    GstVideoInfo info{};
    std::uint64_t serial = 0;  // of this picture alone, in this process
    gint64 arrived = 0;        // monotonic µs
    gint64 began = 0;          // of the first of an unbroken row
};

// What the room wants of a sender: nothing while nobody sees them.
struct Wanted {
    bool on_stage = false;
    int width = 0, height = 0;  // pixels of the largest tile
    bool operator==(const Wanted&) const = default;
};

struct VideoInput : Identity {
    Kind kind = Kind::video;
    std::mutex lock;                   // leaf; guards all below
    std::optional<GstVideoInfo> info;  // of pictures that come raw
    Picture picture;
    Wanted wanted;
    std::optional<Wanted> told;  // what upstream knows
    bool telling = false;        // somebody is about to tell them
    // For pictures that come encoded. The last: what it decodes as it goes is still shown into the above.
    std::shared_ptr<VideoIntake> intake;

    // Under the lock. The picture that was shown until now is left to the caller to free.
    void show(Picture& old, BufferPtr buffer, const GstVideoInfo& format);
};

struct Output {
    unsigned index = 0;
    Kind kind = Kind::audio;
    PushLane lane;  // guarded by the push pool's lock
    // Of the thread that pushes:
    bool discont = true;
    std::atomic<bool> finished = false;  // downstream said EOS or error: silent until relinked
    // Set by the engine before it asks for a negotiation:
    std::atomic<int> default_width = 1280, default_height = 720, default_framerate = 25;

    const RtpIdentity identity;  // of RTP, where downstream's caps leave it open

    std::mutex lock;  // leaf; guards the formats
    std::optional<AudioFormat> audio;
    std::optional<RtpStream> rtp;  // packed so, when `audio` is set
    bool direct = false;           // downstream only queues: pushed to from the engine's thread
    std::optional<VideoFormat> video;
    bool any_size = false;  // downstream leaves it open
    int width_asked = 0, height_asked = 0;
    // Of the engine's thread:
    SentPackets packets;
    GstClockTime retry_at = 0;   // running time
    StreamId heard{kNoMix, {}};  // by the listener, last
    BitrateLadder ladder;

    // Of the stream that has this viewer, under its lock:
    GstClockTime last_pts = 0;

    std::atomic<bool> keyframe_asked = false;  // by a GstForceKeyUnit event
    std::atomic<unsigned> max_bitrate = 0;     // bit/s that the peer takes; 0: unknown
    std::atomic<unsigned> bitrate_class = 0;

    void set_packet_loss(unsigned percent);
    std::atomic<unsigned> packet_loss = 0;  // per cent, as the listener reports it
    std::atomic<bool> lossy = false;        // FEC is worth its delay
};

GstPad* new_pad(GstPadTemplate* templ, const char* name, unsigned index, Kind kind);
AudioInput& audio_input(GstPad* pad);
VideoInput& video_input(GstPad* pad);
Output& output(GstPad* pad);
Identity& identity(GstPad* sink_pad);

GType padlock_type();

// Templates with the pads' own types, so that gst-inspect shows their properties.
void add_pad_templates(GstElementClass* klass);

}  // namespace vmr::mixer
