#include "bedside/recording.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/errors.hpp"
#include "base/file.hpp"

namespace mitral::bedside {
namespace {

using base::BaseError;
using base::fail;
using base::Result;
using base::Status;

using Cells = std::vector<std::string_view>;

Cells cells_of(std::string_view line) {
    Cells cells;
    for (std::size_t from = 0;;) {
        const auto comma = line.find(',', from);
        cells.push_back(line.substr(from, comma - from));
        if (comma == std::string_view::npos)
            return cells;
        from = comma + 1;
    }
}

// Takes a line off the front of `text`; nullopt at the end.
std::optional<std::string_view> next_line(std::string_view& text) {
    if (text.empty())
        return std::nullopt;
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

// Where the columns of `wanted` stand in the file.
Result<std::vector<std::size_t>> columns_of(const Cells& header, std::span<const Parameter> wanted,
                                            const std::string& file) {
    std::vector<std::size_t> places;
    for (const auto& parameter : wanted) {
        const auto found = std::ranges::find(header, parameter.column);
        if (found == header.end())
            return fail(BaseError::malformed,
                        file + " has no column '" + std::string(parameter.column) + "'");
        places.push_back(static_cast<std::size_t>(found - header.begin()));
    }
    return places;
}

bool is_zero_or_less(std::string_view number) {
    return number.starts_with('-') || number.find_first_not_of("0.") == std::string_view::npos;
}

Result<std::vector<Minute>> read_minutes(const std::string& file) {
    MITRAL_TRY(const auto content, base::read_text_file(file, Recording::max_file));
    std::string_view rest = content;
    MITRAL_TRY(const auto places,
               columns_of(cells_of(next_line(rest).value_or("")), numerics(), file));
    std::vector<Minute> minutes;
    while (const auto line = next_line(rest)) {
        const auto cells = cells_of(*line);
        Minute minute;
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (places[i] < cells.size() && !cells[places[i]].empty())
                minute.push_back({&numerics()[i], std::string(cells[places[i]]),
                                  !is_zero_or_less(cells[places[i]])});
        }
        if (!minute.empty())
            minutes.push_back(std::move(minute));
    }
    if (minutes.empty())
        return fail(BaseError::malformed, file + " holds no rows");
    return minutes;
}

Result<std::vector<std::vector<std::int32_t>>> read_channels(const std::string& file) {
    MITRAL_TRY(const auto content, base::read_text_file(file, Recording::max_file));
    std::string_view rest = content;
    MITRAL_TRY(const auto places,
               columns_of(cells_of(next_line(rest).value_or("")), waves(), file));
    std::vector<std::vector<std::int32_t>> channels(places.size());
    while (const auto line = next_line(rest)) {
        const auto cells = cells_of(*line);
        for (std::size_t i = 0; i < places.size(); ++i) {
            const auto cell = places[i] < cells.size() ? cells[places[i]] : std::string_view();
            std::int32_t sample = 0;
            const auto [end, error] =
                std::from_chars(cell.data(), cell.data() + cell.size(), sample);
            if (error != std::errc() || end != cell.data() + cell.size())
                return fail(BaseError::malformed,
                            file + ": '" + std::string(cell) + "' is not a sample");
            channels[i].push_back(sample);
        }
    }
    return channels;
}

}  // namespace

Result<Recording> Recording::read(const std::string& directory) {
    Recording recording;
    MITRAL_TRY(recording.minutes, read_minutes(directory + "/icu-numerics.csv"));
    MITRAL_TRY(recording.channels, read_channels(directory + "/icu-waves-250hz.csv"));
    return recording;
}

}  // namespace mitral::bedside
