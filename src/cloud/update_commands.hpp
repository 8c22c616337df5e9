#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace CLI {
class App;
}

namespace mitral::cloud {

// `update
// import|list|delete|deploy|status|cancel|retry|devices|roots|rotate-root|rotate-signing-key` of a
// running server, over its admin port. The command that was given is put into `action`; both
// references outlive the parsing and the action.
void add_update_commands(CLI::App& app, std::string& state, std::function<base::Status()>& action);

}  // namespace mitral::cloud
