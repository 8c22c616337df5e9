#include "vault/host_channel.hpp"

#include "base/file.hpp"
#include "trusted/core/commands.h"
#include "trusted/host/zone.h"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

class HostChannel final : public vault::optee::Channel {
  public:
    HostChannel() = default;
    HostChannel(const HostChannel&) = delete;
    HostChannel& operator=(const HostChannel&) = delete;
    ~HostChannel() override { trusted_close(&trusted_); }

    [[nodiscard]] base::Status start(const std::string& directory, base::ByteView hardware_key) {
        MITRAL_CHECK(base::make_directory(directory, 0700));
        if (trusted_host_zone(&host_, directory.c_str(), hardware_key.data(), &zone_) == 0 ||
            trusted_open(&trusted_, &zone_) != TRUSTED_OK)
            return base::fail(vault::VaultError::backend_unavailable, "host zone does not start");
        return {};
    }

    [[nodiscard]] base::Result<base::Secret> invoke(std::uint32_t command,
                                                    base::ByteView request) override {
        base::Secret reply(TRUSTED_MAX_REPLY);
        reply.shrink(trusted_answer(&trusted_, command, {request.data(), request.size()},
                                    reply.bytes().data()));
        return reply;
    }

  private:
    trusted_host host_{};
    trusted_zone zone_{};
    trusted trusted_{};
};

}  // namespace

base::Result<std::unique_ptr<vault::optee::Channel>> open_host_channel(
    const std::string& directory, base::ByteView hardware_key) {
    auto channel = std::make_unique<HostChannel>();
    MITRAL_CHECK(channel->start(directory, hardware_key));
    return channel;
}

}  // namespace mitral::test
