// The file of devices that the API made: JSON, replaced as a whole, written without waiting. Control thread
// only.
#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr::store {

class DeviceFile {
public:
    // `path` empty: nothing is kept.
    explicit DeviceFile(std::string path);
    ~DeviceFile();
    DeviceFile(const DeviceFile&) = delete;
    DeviceFile& operator=(const DeviceFile&) = delete;

    // An empty object when there is no file yet.
    Result<nlohmann::json> load() const;
    // `done` is called from the main loop once this content, or a later one, is on disk; not after the end of
    // this.
    using Done = std::function<void(const Status&)>;
    void save(const nlohmann::json& content, Done done);

private:
    struct Writer;
    std::string path_;
    std::shared_ptr<Writer> writer_;
};

}  // namespace vmr::store
