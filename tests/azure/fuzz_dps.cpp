// T-SW-03: answers of a hostile provisioning service. What is accepted must keep what the header
// promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "azure/dps.hpp"
#include "azure/ids.hpp"
#include "base/bytes.hpp"

using namespace mitral;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = base::as_text({data, size});
    if (const auto answer = azure::parse_registration_answer(text)) {
        const bool is_assigned = answer->status == azure::RegistrationStatus::assigned;
        if (is_assigned && (!azure::check_host(answer->assigned_hub) ||
                            !azure::check_device_id(answer->device_id)))
            std::abort();
        if (!azure::parse_registration_answer(azure::registration_answer_json(*answer)))
            std::abort();
    }
    (void)azure::parse_register_request(text);
    (void)azure::parse_service_error(text);
    if (const auto wait = azure::retry_after(text); wait.count() < 1 || wait.count() > 300)
        std::abort();
    return 0;
}
