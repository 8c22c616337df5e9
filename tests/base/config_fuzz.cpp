#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = mitral::base::Config::parse(mitral::base::as_text({data, size}), "fuzz");
    if (!config)
        return 0;
    auto table = config->table("vault");
    (void)table.text("socket", "");
    (void)table.integer("count", 1, 0, 10);
    (void)table.texts("list");
    for (auto& peer : table.tables("peer"))
        (void)peer.finish();
    (void)table.finish();
    return 0;
}
