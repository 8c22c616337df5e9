// One line per event on standard error: `<severity>event key=value key="two words"`. systemd turns
// the
// `<n>` into a journal priority; on a terminal the prefix is left out. Thread-safe. Values are
// escaped: no input can forge a line. Never pass a secret: Secret does not convert.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace mitral::base {

enum class Severity : std::uint8_t {  // RFC 5424 §6.2.1
    critical = 2,
    error = 3,
    warning = 4,
    notice = 5,
    info = 6,
    debug = 7,
};

struct LogField {
    std::string_view key;
    std::string value;

    LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
    LogField(std::string_view field_key, const std::string& text) : key(field_key), value(text) {}
    LogField(std::string_view field_key, const char* text) : key(field_key), value(text) {}
    template <typename Integer>
        requires std::is_integral_v<Integer>
    LogField(std::string_view field_key, Integer number)
        : key(field_key), value(std::to_string(number)) {}
};

// `event` is a stable name in kebab-case ("token-renewed"): people search and alert on it.
void log(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});

// A security event (docs/threat-model.md): severity warning or worse, marked `security=yes`. The
// watch room will turn these into alerts.
void log_security(std::string_view event, std::initializer_list<LogField> fields = {});

// The program's name in each line; called once by main.
void set_log_program(std::string_view name);

}  // namespace mitral::base
