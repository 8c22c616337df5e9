// The HTTP request path: parser in two cuts, query, router. Both cuts must see the same requests.
#include <cstdlib>

#include "cloud/http/parser.hpp"
#include "cloud/http/router.hpp"

namespace {

using namespace mitral::cloud::http;
using mitral::base::ByteView;

std::vector<std::string> paths(ByteView input, std::size_t step, const Router& router) {
    RequestParser parser;
    mitral::base::Bytes kept;
    std::vector<std::string> seen;
    while (!input.empty()) {
        const auto piece = input.first(std::min(step, input.size()));
        kept.insert(kept.end(), piece.begin(), piece.end());
        input = input.subspan(piece.size());
        for (std::size_t taken = 1; taken > 0 && !kept.empty();) {
            const auto request = parser.take(kept, taken);
            if (!request)
                return seen;
            if (taken > kept.size())
                std::abort();
            kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(taken));
            if (*request) {
                (void)router.route(**request);
                seen.push_back((*request)->path + "|" + (*request)->body);
            }
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Router router;
    const auto accept = [](const Request&, const Captures&) { return Response{}; };
    router.add(Method::put, "/{scope}/registrations/{id}/register", accept);
    router.add(Method::get, "/devices/{id}", accept);
    const ByteView input(data, size);
    if (size < 4096 && paths(input, 1, router) != paths(input, size + 1, router))
        std::abort();
    (void)parse_query(mitral::base::as_text(input));
    return 0;
}
