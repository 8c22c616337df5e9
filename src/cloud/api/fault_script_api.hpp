#pragma once

#include "cloud/faults/script_runner.hpp"
#include "cloud/http/router.hpp"

namespace mitral::cloud::api {

// On the admin port: POST /fault-script starts the script in the body, GET tells how many steps are
// left, DELETE stops it; GET /fault-log is what all faults did, one JSON object a line.
struct FaultScriptApi {
    Faults& faults;
    faults::ScriptRunner& runner;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
