// Who is in the room: the pads, as an immutable list that engines read without waiting.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "pads.hpp"

namespace vmr::mixer {

struct PadLists {
    std::vector<PadPtr> audio_sinks, audio_srcs;
    std::vector<PadPtr> video_sinks, video_srcs;
    std::vector<PadPtr> content_sinks, content_srcs;

    std::vector<PadPtr>& of(Kind kind, GstPadDirection direction);
};

class PadBook {
public:
    std::shared_ptr<const PadLists> read() const;
    void add(Kind kind, GstPad* pad);
    void remove(Kind kind, GstPad* pad);

private:
    mutable std::mutex lock_;  // leaf
    std::shared_ptr<const PadLists> lists_ = std::make_shared<PadLists>();
};

}  // namespace vmr::mixer
