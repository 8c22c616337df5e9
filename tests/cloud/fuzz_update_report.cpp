// What an agent reports, and the twin around it: nothing of it is trusted, all of it is bounded.
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/adu/fleet.hpp"
#include "cloud/adu/report.hpp"

namespace {

using namespace mitral::cloud;

void require(bool condition) {
    if (!condition)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = mitral::base::as_text({data, size});
    if (const auto report = adu::read_report(text)) {
        require(report->steps.size() <= 10);
        require(!report->installed || adu::check_id(*report->installed).has_value());
    }
    hub::Twin twin{
        .device = "d", .tags = std::string(text), .reported = {std::string(text), {}, 1}};
    const auto seen = adu::sight(twin);
    if (!seen)
        return 0;
    require(!seen->device_class.properties.empty() && seen->device_class.properties.size() <= 5);
    require(seen->agent.class_id.size() == 40 && !seen->agent.group.empty());
    require(adu::sight(twin)->agent == seen->agent);
    (void)adu::read_report(seen->agent.agent);
    return 0;
}
