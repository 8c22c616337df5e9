// mitral-volume: opens the volume of the gateway's state. Options and wiring; the room does the
// work.
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/process.hpp"
#include "volume/crypt_partition.hpp"

namespace mitral::volume {
namespace {

constexpr const char* program = "mitral-volume";
constexpr int not_open = 2;

// The kernel tells the Trusted Application who asks, and it hears the vault's user alone.
class AsUser final : public vault::optee::Channel {
  public:
    explicit AsUser(unsigned user) : user_(user) {}
    [[nodiscard]] base::Result<base::Secret> invoke(std::uint32_t command,
                                                    base::ByteView request) override {
        if (seteuid(user_) != 0)
            return base::fail_errno("become the vault's user");
        auto reply = trust_zone_->invoke(command, request);
        if (seteuid(0) != 0)
            return base::fail_errno("become root again");
        return reply;
    }

  private:
    unsigned user_;
    std::unique_ptr<vault::optee::Channel> trust_zone_ = vault::optee::open_tee_channel();
};

base::Result<Opened> open(const std::string& user, const std::string& device,
                          const std::string& name) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto id, base::user_id(user));
    AsUser trust_zone(id);
    const auto partition = open_crypt_partition(device, name);
    return open(trust_zone, *partition);
}

int run(int argc, char** argv) {
    CLI::App app("Opens the volume of the gateway's state with the trust zone's key, or makes it");
    app.set_version_flag("--version", MITRAL_VERSION);
    std::string device;
    std::string name;
    std::string user = "mitral-vault";
    app.add_option("device", device, "the partition")->required();
    app.add_option("name", name, "below /dev/mapper")->required();
    app.add_option("--user", user, "whom the Trusted Application hears")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    const auto opened = open(user, device, name);
    if (!opened)
        return base::exit_with(program, opened.error());
    std::printf("%.*s\n", static_cast<int>(describe(*opened).size()), describe(*opened).data());
    return *opened == Opened::in_doubt || *opened == Opened::damaged ? not_open : EXIT_SUCCESS;
}

}  // namespace
}  // namespace mitral::volume

int main(int argc, char** argv) {
    return mitral::volume::run(argc, argv);
}
