#include "cloud/authority_commands.hpp"

#include <unistd.h>

#include "base/file.hpp"
#include "cloud/api/authorities_api.hpp"
#include "cloud/state.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud {
namespace {

base::Status print(const hub::Authority& authority) {
    return base::write_all(STDOUT_FILENO, base::as_bytes(api::authority_json(authority) + "\n"));
}

}  // namespace

base::Status add_authority(const std::string& directory, const std::string& name,
                           const std::string& file) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto text, base::read_text_file(file, tls::max_certificate));
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(const auto authority, state->authorities.put(name, text));
    return print(authority);
}

base::Status list_authorities(const std::string& directory) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(const auto authorities, state->authorities.list());
    for (const auto& authority : authorities)
        MITRAL_CHECK(print(authority));
    return {};
}

base::Status remove_authority(const std::string& directory, const std::string& name) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    return state->authorities.remove(name);
}

}  // namespace mitral::cloud
