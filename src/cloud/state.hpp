#pragma once

#include <memory>
#include <string>

#include "base/fd.hpp"
#include "cloud/dps/registrations.hpp"
#include "cloud/hub/authorities.hpp"
#include "cloud/hub/policies.hpp"
#include "cloud/hub/registry.hpp"
#include "cloud/hub/twins.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud {

// What an installation keeps, in its state directory. The server and the command line open it
// alike; the members refer to each other, so a State stays where it is made.
class State {
  public:
    // Makes the directory, the database, the id scope and the policy keys where they are missing.
    [[nodiscard]] static base::Result<std::unique_ptr<State>> open(const std::string& directory,
                                                                   const base::Clock& clock);
    // For the server: one at a time, or two would write one log. Held until the object goes.
    [[nodiscard]] base::Status lock();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::string directory;
    store::Database database;
    hub::Registry registry;
    hub::Authorities authorities;
    hub::Twins twins;
    hub::Policies policies;
    dps::Enrollments enrollments;
    dps::Registrations registrations;
    std::string id_scope;

  private:
    State(std::string path, store::Database opened, const base::Clock& clock);
    base::UniqueFd lock_;
};

}  // namespace mitral::cloud
