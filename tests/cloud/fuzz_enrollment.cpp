// Enrolments as the service API writes them: what was read can be shown, and read again as the
// same.
#include <cstdlib>

#include "cloud/api/enrollment_body.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral::cloud;
    const auto body = parse_json(mitral::base::as_text({data, size}));
    if (!body)
        return 0;
    for (const auto kind : {dps::EnrollmentKind::group, dps::EnrollmentKind::individual}) {
        const auto read = api::read_enrollment(*body, kind, "dev-01");
        if (!read)
            continue;
        const auto again = api::read_enrollment(api::enrollment_json(*read), kind, "dev-01");
        if (!again || again->hubs != read->hubs || again->enabled != read->enabled ||
            again->migrates_device_data != read->migrates_device_data)
            std::abort();
    }
    return 0;
}
