#include "bench/rooms/room.hpp"

#include <stdexcept>

namespace vmr::bench {

Room::Room(const RoomOptions& options)
    : options_(options), pipeline_(ElementPtr::adopt(gst_pipeline_new(nullptr))) {}

Room::~Room() {
    gst_element_set_state(pipeline(), GST_STATE_NULL);
}

void Room::start() {
    if (gst_element_set_state(pipeline(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        throw std::runtime_error("the pipeline does not start");
    }
}

GstElement* Room::make(const char* factory) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (element == nullptr) {
        throw std::runtime_error(std::string("no element ") + factory);
    }
    gst_bin_add(GST_BIN(pipeline()), element);
    return element;
}

GstElement* Room::make_bin(const std::string& description) {
    GError* error = nullptr;
    GstElement* bin = gst_parse_bin_from_description(description.c_str(), TRUE, &error);
    if (bin == nullptr || error != nullptr) {
        throw std::runtime_error(error == nullptr ? description : error->message);
    }
    gst_bin_add(GST_BIN(pipeline()), bin);
    return bin;
}

}  // namespace vmr::bench
