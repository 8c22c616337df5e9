#include "clinical/vitals_table.hpp"

#include <array>
#include <charconv>

#include "clinical/codes.hpp"

namespace mitral::clinical {
namespace {

constexpr std::string_view between = "],\"rows\":[";
constexpr std::string_view tail = "]}";
constexpr std::string_view null_cell = ",null";

template <typename Integer>
void append_integer(Integer value, std::string& out) {
    std::array<char, 24> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out.append(buffer.data(), end);
}

void append_quoted(std::string_view text, std::string& out) {
    out.push_back('"');
    out.append(text).push_back('"');
}

void append_cell(const Observation& observation, std::string& out) {
    out.push_back(',');
    if (const auto* decimal = std::get_if<Decimal>(&observation.value))
        append_decimal(*decimal, out);
    else
        append_quoted(to_string(std::get<Absent>(observation.value)), out);
}

void append_device_clock(DeviceClock clock, std::string& out) {
    if (clock == DeviceClock::none) {
        out.append(null_cell);
    } else {
        out.push_back(',');
        append_quoted(to_string(clock), out);
    }
}

void append_column(const Observation& observation, std::string& out) {
    out.append(out.empty() ? "{\"index\":" : ",{\"index\":");
    append_integer(observation.index, out);
    out.append(",\"code\":");
    append_quoted(observation.code, out);
    if (observation.mdc != 0) {
        out.append(",\"mdc\":");
        append_integer(observation.mdc, out);
    }
    const auto loinc = published_loinc(observation.code, observation.unit);
    if (!loinc.empty()) {
        out.append(",\"loinc\":");
        append_quoted(loinc, out);
    }
    out.append(",\"unit\":");
    append_quoted(observation.unit, out);
    out.push_back('}');
}

}  // namespace

VitalsTable::VitalsTable(std::string_view source, std::string_view subject,
                         base::WallTime base_time)
    : base_time_(base_time) {
    head_.reserve(200);
    head_.append("{\"schema\":\"mitral.vitals/1\",\"source\":");
    append_quoted(source, head_);
    if (!subject.empty()) {
        head_.append(",\"subject\":");
        append_quoted(subject, head_);
    }
    head_.append(",\"base_time\":");
    append_integer(base_time.ms, head_);
    head_.append(",\"columns\":[");
}

std::size_t VitalsTable::size() const noexcept {
    return head_.size() + columns_text_.size() + between.size() + rows_text_.size() +
           missing_cells_ * null_cell.size() + tail.size();
}

// A source says the same things in the same order most of the time: the column behind the last one
// is tried before all others.
std::size_t VitalsTable::column_of(const Observation& observation, std::size_t hint) {
    const auto matches = [&](const Column& column) {
        return column.index == observation.index && column.code == observation.code &&
               column.unit == observation.unit;
    };
    if (hint < columns_.size() && matches(columns_[hint]))
        return hint;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (matches(columns_[i]))
            return i;
    }
    columns_.push_back({observation.index, observation.code, observation.unit});
    append_column(observation, columns_text_);
    missing_cells_ += rows_.size();
    return columns_.size() - 1;
}

// For a first row of usual names; what is longer grows by itself.
void VitalsTable::make_room(std::size_t observations) {
    if (!rows_.empty())
        return;
    columns_.reserve(observations);
    cells_.reserve(observations);
    columns_text_.reserve(observations * 112);
    rows_text_.reserve(112 + observations * 8);
}

void VitalsTable::write_row(const Reading& reading) {
    cells_.assign(columns_.size(), nullptr);
    make_room(reading.observations.size());
    std::size_t hint = 0;
    for (const auto& observation : reading.observations) {
        const std::size_t column = column_of(observation, hint);
        if (column >= cells_.size())
            cells_.resize(column + 1, nullptr);
        cells_[column] = &observation;
        hint = column + 1;
    }
    rows_text_.append(rows_.empty() ? "[" : ",[");
    append_quoted(reading.control_id, rows_text_);
    rows_text_.push_back(',');
    if (reading.device_time)
        append_integer(reading.device_time->ms - base_time_.ms, rows_text_);
    else
        rows_text_.append("null");
    rows_text_.push_back(',');
    append_integer(reading.received.ms - base_time_.ms, rows_text_);
    rows_text_.push_back(',');
    append_quoted(base::to_string(reading.clock), rows_text_);
    append_device_clock(reading.device_clock, rows_text_);
    for (const auto* cell : cells_) {
        if (cell != nullptr)
            append_cell(*cell, rows_text_);
        else
            rows_text_.append(null_cell);
    }
    rows_.push_back({rows_text_.size(), cells_.size()});
    rows_text_.push_back(']');
}

bool VitalsTable::add(const Reading& reading, std::size_t limit) {
    const std::size_t columns = columns_.size();
    const std::size_t columns_size = columns_text_.size();
    const std::size_t rows_size = rows_text_.size();
    const std::size_t missing = missing_cells_;
    write_row(reading);
    if (size() <= limit || rows_.size() == 1)
        return true;
    columns_.resize(columns);
    columns_text_.resize(columns_size);
    rows_.pop_back();
    rows_text_.resize(rows_size);
    missing_cells_ = missing;
    return false;
}

base::Bytes VitalsTable::finish() const {
    base::Bytes body;
    body.reserve(size());
    const auto append = [&](std::string_view text) {
        const auto bytes = base::as_bytes(text);
        body.insert(body.end(), bytes.begin(), bytes.end());
    };
    append(head_);
    append(columns_text_);
    append(between);
    std::size_t begin = 0;
    for (const auto& row : rows_) {
        append(std::string_view(rows_text_).substr(begin, row.end - begin));
        for (std::size_t cell = row.cells; cell < columns_.size(); ++cell)
            append(null_cell);
        begin = row.end;
    }
    append(std::string_view(rows_text_).substr(begin));
    append(tail);
    return body;
}

}  // namespace mitral::clinical
