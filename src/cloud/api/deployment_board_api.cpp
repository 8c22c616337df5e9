#include "cloud/api/deployment_board_api.hpp"

#include "cloud/adu/board.hpp"
#include "cloud/api/json.hpp"

namespace mitral::cloud::api {
namespace {

std::string_view state_of(const adu::Standing& standing) {
    return standing.reaches_anybody ? adu::to_text(standing.state) : "Waiting";
}

http::Response board(const store::Database& database) {
    const auto standings = adu::newest_standings(database, DeploymentBoardApi::shown);
    if (!standings)
        return json_response(500, {{"Message", "storage failed"}});
    http::Response response;
    response.content_type = "application/x-ndjson";
    for (const auto& standing : *standings) {
        const auto& [provider, name, version] = standing.deployment.update;
        response.body += dump({{"groupId", standing.deployment.group},
                               {"deploymentId", standing.deployment.id},
                               {"update", provider + "/" + name + "/" + version},
                               {"startDateTime", base::to_iso8601(standing.deployment.starts)},
                               {"state", state_of(standing)},
                               {"inProgress", standing.in_progress},
                               {"succeeded", standing.succeeded},
                               {"failed", standing.failed},
                               {"canceled", standing.canceled}}) +
                         "\n";
    }
    return response;
}

}  // namespace

void DeploymentBoardApi::mount(http::Router& router) const {
    router.add(http::Method::get, "/deployments",
               [&source = database](const http::Request&, const http::Captures&) {
                   return board(source);
               });
}

}  // namespace mitral::cloud::api
