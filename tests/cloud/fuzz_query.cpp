// Queries as clients write them: parsed, and run over a twin. A refusal names a place in the text,
// or what of Azure's is not there.
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/error.hpp"
#include "cloud/query/continuation.hpp"
#include "cloud/query/evaluate.hpp"

namespace {

using namespace mitral::cloud;

const Json& twin() {
    static const Json document =
        Json::parse(R"({"deviceId":"a","status":"enabled","tags":{"b":1,"c":"x","d":[1],"e":true},)"
                    R"("properties":{"desired":{"$version":1},"reported":{"f":{"g":null}}}})");
    return document;
}

void check_place(const mitral::base::Error& error, std::size_t size) {
    if (error.code == CloudError::not_supported && !error.context.empty())
        return;
    constexpr std::string_view column = "column ";
    if (!error.context.starts_with(column))
        std::abort();
    const auto place = std::strtoul(error.context.c_str() + column.size(), nullptr, 10);
    if (place < 1 || place > size + 1)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = mitral::base::as_text({data, size});
    (void)query::decode(text, "q");
    const auto query = query::parse(text);
    if (!query) {
        check_place(query.error(), size);
        return 0;
    }
    if (query->aggregates()) {
        query::Groups groups(*query);
        if (query::matches(*query, twin()) && !groups.add(twin()))
            std::abort();
        (void)groups.rows();
    } else if (query::matches(*query, twin()) && !query::project(*query, twin()).is_object()) {
        std::abort();
    }
    return 0;
}
