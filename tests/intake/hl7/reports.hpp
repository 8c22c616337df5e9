// Messages made up for tests, in the shape of IHE PCD-01, and what comes of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "intake/hl7/interpreter.hpp"

namespace mitral::intake::hl7 {

constexpr std::string_view report_header =
    "MSH|^~\\&|MONITOR^0123456789ABCDEF^EUI-64|WARD|GATEWAY|HOSPITAL|20260101100000+0100||"
    "ORU^R01^ORU_R01|42|P|2.6|||NE|AL||UNICODE UTF-8\r";
constexpr std::string_view report_order =
    "OBR|1|||182777000^monitoring of patient^SCT|||20260101100000+0100\r";

inline base::WallTime at(std::string_view text) {
    return *base::from_iso8601(text);
}

// Whose messages are understood, and what was not.
struct Reader {
    Reader() { sender.source = "icu-1"; }

    Sender sender;
    Arrival arrival{at("2026-01-01T09:00:00.250Z"), base::ClockState::synchronised};
    Pseudonyms* pseudonyms = nullptr;
    NotUnderstood counts;
    Findings findings;

    std::expected<std::vector<clinical::Reading>, Unusable> try_read(std::string_view text) {
        const auto message = Message::parse(text);
        if (!message)
            return std::unexpected(message.error());
        return Interpreter(pseudonyms).read(*message, sender, arrival, counts, &findings);
    }
    std::vector<clinical::Reading> read(std::string_view text) {
        auto readings = try_read(text);
        EXPECT_TRUE(readings) << readings.error().reason;
        return readings ? *std::move(readings) : std::vector<clinical::Reading>{};
    }
    // Of OBX segments, each without its name: "1|NM|147842^MDC_ECG_HEART_RATE^MDC|…".
    std::vector<clinical::Reading> read_rows(const std::vector<std::string>& rows) {
        std::string text(report_header);
        text.append(report_order);
        for (const auto& row : rows)
            text.append("OBX|").append(row).append("\r");
        return read(text);
    }
};

}  // namespace mitral::intake::hl7
