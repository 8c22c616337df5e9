#include "bedside/book.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <iterator>

#include "base/file.hpp"

namespace mitral::bedside {
namespace {

constexpr int append_flags = O_WRONLY | O_CREAT | O_APPEND;

double seconds(base::WallTime time) {
    return static_cast<double>(time.ms) / 1000;
}

void add_rows(std::string& out, const std::string& source, const std::vector<Promise>& promises,
              base::WallTime at) {
    for (const auto& promise : promises)
        fmt::format_to(std::back_inserter(out),
                       "{{\"source\":\"{}\",\"id\":\"{}\",\"index\":{},\"lane\":\"{}\","
                       "\"hash\":\"{}\",\"at\":{:.3f}}}\n",
                       source, promise.id, promise.index, to_string(promise.lane), promise.hash,
                       seconds(at));
}

// JSON of bytes that may be anything: what is no plain ASCII becomes an escape of the same number.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x20 || byte >= 0x7F || letter == '"' || letter == '\\')
            out += fmt::format("\\u{:04x}", byte);
        else
            out += letter;
    }
    return out + '"';
}

}  // namespace

base::Result<Book> Book::open(const std::string& directory, const std::string& source,
                              const Person& person, bool times) {
    Book book;
    book.source_ = source;
    book.stem_ = directory + "/" + source;
    MITRAL_CHECK(base::make_directory(directory, 0755));
    MITRAL_TRY(book.acked_, base::open_file(book.stem_ + ".acked.jsonl", append_flags, 0644));
    if (times) {
        MITRAL_TRY(book.times_, base::open_file(book.stem_ + ".times.jsonl", append_flags, 0644));
    }
    const auto text = fmt::format(
        "{{\"source\":\"{}\",\"family\":{},\"given\":{},\"id\":{},\"birth\":{}}}\n", source,
        quoted(person.family), quoted(person.given), quoted(person.id), quoted(person.birth));
    MITRAL_CHECK(
        base::replace_passing_file(book.stem_ + ".identity.json", base::as_bytes(text), 0644));
    return book;
}

void Book::acknowledged(const Monitor& monitor, const Message& message, base::WallTime sent,
                        base::WallTime at) {
    add_rows(rows_, source_, monitor.promises(message), at);
    if (times_.valid())
        fmt::format_to(std::back_inserter(time_rows_),
                       "{{\"id\":\"{}\",\"sent\":{:.3f},\"acked\":{:.3f}}}\n", message.identity,
                       seconds(sent), seconds(at));
}

base::Status Book::refused(const Message& message, std::string_view reason, base::WallTime at) {
    return append(
        ".refused.jsonl",
        fmt::format("{{\"source\":\"{}\",\"id\":\"{}\",\"control_id\":\"{}\","
                    "\"reason\":{},\"at\":{:.3f}}}\n",
                    source_, message.identity, message.control_id, quoted(reason), seconds(at)));
}

base::Status Book::pending(const Monitor& monitor, const Message& message, base::WallTime sent) {
    std::string rows;
    add_rows(rows, source_, monitor.promises(message), sent);
    return append(".pending.jsonl", rows);
}

base::Status Book::append(std::string_view suffix, std::string_view rows) const {
    MITRAL_TRY(const auto file, base::open_file(stem_ + std::string(suffix), append_flags, 0644));
    return base::write_all(file.get(), base::as_bytes(rows));
}

base::Status Book::flush() {
    // Times first: whoever finds an acknowledged row finds its time too.
    if (!time_rows_.empty())
        MITRAL_CHECK(base::write_all(times_.get(), base::as_bytes(time_rows_)));
    time_rows_.clear();
    if (!rows_.empty())
        MITRAL_CHECK(base::write_all(acked_.get(), base::as_bytes(rows_)));
    rows_.clear();
    return {};
}

}  // namespace mitral::bedside
