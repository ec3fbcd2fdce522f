#include "daemon/bridge/kept_pipeline.hpp"

namespace vmr::bridge {

std::unique_ptr<media::RoomPipeline> new_pipeline(const Services& services, const std::string& name,
                                                  media::RoomPipelineObserver& observer) {
    auto pipeline = media::RoomPipeline::create(services.pipelines, name, services.video, observer);
    if (!pipeline) {
        g_warning("%s", pipeline.error().c_str());
        return nullptr;
    }
    return std::move(*pipeline);
}

}  // namespace vmr::bridge
