#include "net/certificate_names.hpp"

#include <algorithm>
#include <string_view>

#include "net/openssl_handles.hpp"

namespace mitral::net {
namespace {

std::string_view text_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

void add_name(std::string_view name, std::vector<std::string>& names) {
    const bool visible = std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; });
    if (!name.empty() && visible)
        names.emplace_back(name);
}

}  // namespace

std::vector<std::string> certificate_names(X509* certificate) {
    std::vector<std::string> names;
    bool has_dns_names = false;
    const AlternativeNames alternatives(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* entry = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (entry->type != GEN_DNS)
            continue;
        has_dns_names = true;
        add_name(text_of(entry->d.dNSName), names);
    }
    if (has_dns_names)
        return names;
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0)
        add_name(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))), names);
    return names;
}

}  // namespace mitral::net
