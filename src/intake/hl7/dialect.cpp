#include "intake/hl7/dialect.hpp"

namespace mitral::intake::hl7 {

const DialectCode* Dialect::find(const Index& index, std::string_view key,
                                 std::string_view system) const noexcept {
    if (key.empty())
        return nullptr;
    const auto [begin, end] = index.equal_range(key);
    for (auto found = begin; found != end; ++found) {
        const auto& code = codes[found->second];
        if (code.system.empty() || code.system == system)
            return &code;
    }
    return nullptr;
}

const DialectCode* Dialect::find_id(std::string_view id, std::string_view system) const noexcept {
    return find(by_id_, id, system);
}

const DialectCode* Dialect::find_name(std::string_view code_name,
                                      std::string_view system) const noexcept {
    return find(by_name_, code_name, system);
}

void Dialect::index_codes() {
    by_id_.clear();
    by_name_.clear();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        by_id_.emplace(codes[i].id, i);
        by_name_.emplace(codes[i].name, i);
    }
}

}  // namespace mitral::intake::hl7
