#include "cloud/state.hpp"

#include "base/file.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud {

State::State(std::string path, store::Database opened, const base::Clock& clock)
    : directory(std::move(path)),
      database(std::move(opened)),
      registry(database, clock),
      policies(database),
      enrollments(database, clock) {}

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

}  // namespace mitral::cloud
