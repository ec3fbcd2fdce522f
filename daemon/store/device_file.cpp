#include "daemon/store/device_file.hpp"

#include <gio/gio.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "base/guard.hpp"
#include "base/main_context.hpp"

namespace vmr::store {

// One write at a time; what is asked for meanwhile goes with the next.
struct DeviceFile::Writer : std::enable_shared_from_this<DeviceFile::Writer> {
    explicit Writer(const std::string& path) : file(g_file_new_for_path(path.c_str())) {}
    ~Writer() { g_object_unref(file); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void begin() {
        writing = std::exchange(waiting, {});
        GBytes* bytes = g_bytes_new(text.data(), text.size());
        // Private: it holds what secrets are verified by.
        g_file_replace_contents_bytes_async(
            file, bytes, nullptr, FALSE,
            static_cast<GFileCreateFlags>(G_FILE_CREATE_PRIVATE | G_FILE_CREATE_REPLACE_DESTINATION), nullptr,
            on_written, new std::weak_ptr<Writer>(weak_from_this()));
        g_bytes_unref(bytes);
    }

    static void on_written(GObject* source, GAsyncResult* result, gpointer data) {
        const std::unique_ptr<std::weak_ptr<Writer>> weak(static_cast<std::weak_ptr<Writer>*>(data));
        GError* error = nullptr;
        const bool ok = g_file_replace_contents_finish(G_FILE(source), result, nullptr, &error) != FALSE;
        const Status status = ok ? Status(Ok{}) : Status(Error{error->message});
        g_clear_error(&error);
        guard(nullptr, [&] {
            const auto self = weak->lock();
            if (!self) {
                return;
            }
            const std::vector<Done> told = std::exchange(self->writing, {});
            self->busy = !self->waiting.empty();
            if (self->busy) {
                self->begin();
            }
            for (const Done& done : told) {
                done(status);
            }
        });
    }

    GFile* file;
    std::string text;
    std::vector<Done> waiting, writing;
    bool busy = false;
};

DeviceFile::DeviceFile(std::string path)
    : path_(std::move(path)), writer_(path_.empty() ? nullptr : std::make_shared<Writer>(path_)) {}
DeviceFile::~DeviceFile() = default;

Result<nlohmann::json> DeviceFile::load() const {
    std::ifstream file(path_, std::ios::binary);
    if (path_.empty() || !file) {
        const bool there = !path_.empty() && g_file_test(path_.c_str(), G_FILE_TEST_EXISTS) != FALSE;
        return there ? Result<nlohmann::json>(Error{path_ + ": cannot be read"})
                     : Result<nlohmann::json>(nlohmann::json::object());
    }
    std::ostringstream content;
    content << file.rdbuf();
    nlohmann::json parsed = nlohmann::json::parse(content.str(), nullptr, false);
    return parsed.is_object() ? Result<nlohmann::json>(std::move(parsed))
                              : Result<nlohmann::json>(Error{path_ + ": is no JSON object"});
}

void DeviceFile::save(const nlohmann::json& content, Done done) {
    if (!writer_) {
        done(Ok{});
        return;
    }
    writer_->text = content.dump(1) + "\n";
    writer_->waiting.push_back(std::move(done));
    if (!std::exchange(writer_->busy, true)) {
        writer_->begin();
    }
}

}  // namespace vmr::store
