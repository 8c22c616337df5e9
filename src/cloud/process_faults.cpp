#include "cloud/process.hpp"

namespace mitral::cloud {

void Process::connect_faults() {
    faults_.control(*mqtt_, *https_);
    if (amqp_)
        faults_.control_amqp(*amqp_);
    faults_.connect(
        {.set_clock = [this](base::Seconds offset) { clock_->shift(offset); },
         .use_root = [this](bool other, bool fresh) { return roots_.use(other, fresh); },
         .bury = [this] { pool_.bury(); }});
    roster_.set_distortion([this](base::Bytes& packets) { return replies_.distort(packets); });
}

std::optional<base::Seconds> Process::dps_throttled() {
    const auto order = faults_.strike(Fault::dps_throttled);
    return order ? std::optional(base::Seconds(order->number("retry_after"))) : std::nullopt;
}

std::optional<std::int64_t> Process::dps_failure(bool at_look_up) {
    const auto* order = faults_.in_force(Fault::dps_failed);
    if (order == nullptr)
        return std::nullopt;
    const auto code = order->number("error_code");
    if (dps::ends_registration(code) && !at_look_up)
        return std::nullopt;
    (void)faults_.strike(Fault::dps_failed);
    return code;
}

std::optional<std::string> Process::other_hub(const std::string& device) {
    auto hub = faults_.move(device);
    if (hub)
        hub_.disconnect(device, "moved to another hub");
    return hub;
}

}  // namespace mitral::cloud
