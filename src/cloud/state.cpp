#include "cloud/state.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "base/file.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud {

State::State(std::string path, store::Database opened, const base::Clock& clock)
    : directory(std::move(path)),
      database(std::move(opened)),
      registry(database, clock),
      authorities(database, clock),
      twins(database, clock),
      policies(database),
      enrollments(database, clock),
      registrations(database) {}

base::Result<std::unique_ptr<State>> State::open(const std::string& directory,
                                                 const base::Clock& clock) {
    MITRAL_CHECK(base::make_directory(directory, 0755));
    MITRAL_TRY(auto database, store::Database::open(directory + "/cloud.db"));
    std::unique_ptr<State> state(new State(directory, std::move(database), clock));
    MITRAL_CHECK(state->policies.create_missing());
    MITRAL_TRY(const auto known, state->database.fact("id-scope"));
    state->id_scope = known ? *known : store::new_id_scope();
    if (!known)
        MITRAL_CHECK(state->database.set_fact("id-scope", state->id_scope));
    return state;
}

base::Status State::lock() {
    const auto path = directory + "/lock";
    MITRAL_TRY(lock_, base::open_file(path, O_RDWR | O_CREAT, 0600));
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
        return base::fail_errno("lock " + path +
                                "; does another mitral-cloud use this state directory?");
    return {};
}

}  // namespace mitral::cloud
