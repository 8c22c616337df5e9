#include "cloud/api/json.hpp"

namespace mitral::cloud::api {

http::Response json_response(unsigned status, const Json& body) {
    http::Response response;
    response.status = status;
    response.body = dump(body);
    return response;
}

}  // namespace mitral::cloud::api
