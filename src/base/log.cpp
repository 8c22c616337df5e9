#include "base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <mutex>

#include "base/file.hpp"

namespace mitral::base {
namespace {

constexpr std::size_t max_value = 512;  // a hostile name must not fill the journal

struct Sink {
    std::mutex mutex;
    std::string program;
    bool terminal = isatty(STDERR_FILENO) == 1;
};

Sink& sink() {
    static Sink instance;  // the one standard error a process has
    return instance;
}

bool needs_quotes(std::string_view value) {
    if (value.empty())
        return true;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte == '"' || byte == '\\' || byte == '=' || byte >= 0x7F)
            return true;
    }
    return false;
}

void append_value(std::string& line, std::string_view value) {
    const bool cut = value.size() > max_value;
    value = value.substr(0, max_value);
    if (!needs_quotes(value)) {
        line.append(value);
    } else {
        line.push_back('"');
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < ' ' || byte == 0x7F)
                fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
            else if (c == '"' || c == '\\')
                line.append({'\\', c});
            else
                line.push_back(c);
        }
        line.push_back('"');
    }
    if (cut)
        line.append("...");
}

void write_line(Severity severity, std::string_view event, std::initializer_list<LogField> fields,
                bool security) {
    Sink& out = sink();
    const std::lock_guard lock(out.mutex);
    std::string line;
    if (!out.terminal)
        line = fmt::format("<{}>", static_cast<unsigned>(severity));
    if (!out.program.empty())
        line.append(out.program).append(": ");
    line.append(event);
    if (security)
        line.append(" security=yes");
    for (const LogField& field : fields) {
        line.append(" ").append(field.key).append("=");
        append_value(line, field.value);
    }
    line.push_back('\n');
    (void)write_all(STDERR_FILENO, as_bytes(line));  // there is nowhere left to report a failure
}

}  // namespace

void log(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
    write_line(severity, event, fields, false);
}

void log_security(std::string_view event, std::initializer_list<LogField> fields) {
    write_line(Severity::warning, event, fields, true);
}

void set_log_program(std::string_view name) {
    Sink& out = sink();
    const std::lock_guard lock(out.mutex);
    out.program = name;
}

}  // namespace mitral::base
