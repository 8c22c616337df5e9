// One mitral.vitals/1 message under construction (docs/formats/vitals-1.md). JSON is written
// straight into text: nothing in it needs escaping, because every name comes from a checked
// alphabet (identifier.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical {

class VitalsTable {
  public:
    // `subject` may be empty; `base_time` is the receive time of the first row. Readings stay where
    // they are until the message is finished.
    VitalsTable(std::string_view source, std::string_view subject, base::WallTime base_time);

    // Adds a row for the observations of a checked reading. False, with nothing added, when the
    // message would grow beyond `limit` bytes; the first row is always taken.
    [[nodiscard]] bool add(const Reading& reading, std::size_t limit);
    [[nodiscard]] base::Bytes finish() const;

  private:
    struct Column {
        std::uint16_t index = 0;
        std::string_view code;
        std::string_view unit;
    };
    struct Row {
        std::size_t end = 0;    // in rows_text_, behind its last cell
        std::size_t cells = 0;  // columns known when it was written; later ones become null
    };

    std::size_t column_of(const Observation& observation, std::size_t hint);
    void make_room(std::size_t observations);
    void write_row(const Reading& reading);
    [[nodiscard]] std::size_t size() const noexcept;

    std::string head_;
    base::WallTime base_time_;
    std::vector<Column> columns_;
    std::string columns_text_;
    std::vector<Row> rows_;
    std::string rows_text_;
    std::size_t missing_cells_ = 0;  // nulls that finish() will add

    std::vector<const Observation*> cells_;  // scratch: the row being written, by column
};

}  // namespace mitral::clinical
