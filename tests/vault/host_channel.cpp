#include "vault/host_channel.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "trusted/core/commands.h"
#include "trusted/host/zone.h"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

// A host zone that can lose its power.
struct Zone {
    trusted_host host{};
    trusted_zone files{};
    PowerCut* cut = nullptr;
    PowerCut steady{};
    const base::Clock* clock = nullptr;

    template <typename Call>
    trusted_zone_result power(Call call) {
        PowerCut& plan = cut != nullptr ? *cut : steady;
        const std::size_t now = plan.calls++;
        if (now > plan.at || (now == plan.at && !plan.after))
            return ZONE_FAILED;
        const auto result = call();
        return now == plan.at ? ZONE_FAILED : result;
    }
};

template <auto Member>
struct Through;
template <typename... Arguments, trusted_zone_result (*trusted_zone::*Member)(void*, Arguments...)>
struct Through<Member> {
    static trusted_zone_result call(void* self, Arguments... arguments) {
        auto* zone = static_cast<Zone*>(self);
        return zone->power([&] { return (zone->files.*Member)(&zone->host, arguments...); });
    }
};

trusted_zone_result uptime(void* self, std::uint64_t* now_ms) {
    auto* zone = static_cast<Zone*>(self);
    return zone->power([&] {
        if (zone->clock == nullptr)
            return zone->files.uptime(&zone->host, now_ms);
        *now_ms = static_cast<std::uint64_t>(zone->clock->unsteered().ns / 1'000'000);
        return ZONE_OK;
    });
}

trusted_zone table_over(Zone& zone) {
    trusted_zone table{};
    table.self = &zone;
    table.station_key = zone.files.station_key;
    table.random = Through<&trusted_zone::random>::call;
    table.sha256 = Through<&trusted_zone::sha256>::call;
    table.sha512 = Through<&trusted_zone::sha512>::call;
    table.hmac_sha256 = Through<&trusted_zone::hmac_sha256>::call;
    table.ed25519_verify = Through<&trusted_zone::ed25519_verify>::call;
    table.x25519_new = Through<&trusted_zone::x25519_new>::call;
    table.x25519_agree = Through<&trusted_zone::x25519_agree>::call;
    table.p256_new = Through<&trusted_zone::p256_new>::call;
    table.p256_sign = Through<&trusted_zone::p256_sign>::call;
    table.seal = Through<&trusted_zone::seal>::call;
    table.open = Through<&trusted_zone::open>::call;
    table.load = Through<&trusted_zone::load>::call;
    table.replace = Through<&trusted_zone::replace>::call;
    table.unit_id = Through<&trusted_zone::unit_id>::call;
    table.uptime = uptime;
    return table;
}

class HostChannel final : public vault::optee::Channel {
  public:
    HostChannel(PowerCut* cut, const base::Clock* clock) {
        zone_.cut = cut;
        zone_.clock = clock;
    }
    HostChannel(const HostChannel&) = delete;
    HostChannel& operator=(const HostChannel&) = delete;
    ~HostChannel() override { trusted_close(&trusted_); }

    [[nodiscard]] base::Status start(const std::string& directory, base::ByteView hardware_key,
                                     const HostMode& mode) {
        MITRAL_CHECK(base::make_directory(directory, 0700));
        zone_.host.deletes_damaged = mode.deletes_damaged ? 1 : 0;
        zone_.host.refuses_storage = mode.refuses_storage ? 1 : 0;
        zone_.host.has_station_key = mode.station_key ? 1 : 0;
        if (mode.station_key)
            std::ranges::copy(*mode.station_key, zone_.host.station_key);
        if (trusted_host_zone(&zone_.host, directory.c_str(), hardware_key.data(), &zone_.files) ==
            0)
            return base::fail(vault::VaultError::backend_unavailable, "no host zone");
        table_ = table_over(zone_);
        if (trusted_open(&trusted_, &table_) != TRUSTED_OK)
            return base::fail(vault::VaultError::backend_unavailable, "host zone does not start");
        return {};
    }

    [[nodiscard]] base::Result<base::Secret> invoke(std::uint32_t command,
                                                    base::ByteView request) override {
        base::Secret reply(TRUSTED_MAX_REPLY);
        reply.shrink(trusted_answer(&trusted_, command, {request.data(), request.size()},
                                    reply.bytes().data()));
        if (zone_.cut != nullptr && zone_.cut->on_reply)
            zone_.cut->on_reply(command, reply.view());
        return reply;
    }

  private:
    Zone zone_;
    trusted_zone table_{};
    trusted trusted_{};
};

}  // namespace

base::Result<std::unique_ptr<vault::optee::Channel>> open_host_channel(const std::string& directory,
                                                                       base::ByteView hardware_key,
                                                                       PowerCut* cut,
                                                                       const base::Clock* clock,
                                                                       const HostMode& mode) {
    auto channel = std::make_unique<HostChannel>(cut, clock);
    MITRAL_CHECK(channel->start(directory, hardware_key, mode));
    return channel;
}

}  // namespace mitral::test
