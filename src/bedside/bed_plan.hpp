// Who lies where and how the monitors behave: a TOML file, or the short form of the command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bedside/dialect.hpp"
#include "bedside/mischief.hpp"

namespace mitral::bedside {

struct BedPlan {
    std::string source;  // the gateway's name for this monitor; names the books
    const Dialect* dialect = nullptr;
    std::string to;      // numeric address:port of the gateway
    std::string listen;  // or: be the server here and wait to be queried
    std::string from;    // source address; empty: the system's choice
    base::Milliseconds vitals_every{1000};
    base::Milliseconds waves_every{0};  // 0: no waveforms; else also what one message holds
    int window = 1;                     // messages on the way at once
    int batch = 1;                      // messages in a frame (BHS … BTS)
    std::size_t first_row = 0;          // of the recording
    std::uint64_t messages = 0;         // 0: until stopped
    base::Milliseconds clock_offset{0};
    std::string zone;  // IANA; of the monitor's clock
    bool remarks = false;
    std::vector<Fault> faults;
    int fault_percent = 5;           // of the messages
    std::string certificate, key;    // both or none
    std::vector<std::string> roots;  // of the gateway; empty: plain TCP
    std::string server_name;

    [[nodiscard]] bool tls() const noexcept { return !roots.empty() || !certificate.empty(); }
};

struct WardPlan {
    std::string recording;      // folder of the recordings
    std::string book;           // folder of the books; empty: none
    base::Milliseconds run{0};  // 0: until a signal
    double speed = 1;           // 0: as fast as acknowledgements allow
    std::uint64_t seed = 1;
    bool times = false;                        // a file of times beside each book
    base::Milliseconds answer_within{30'000};  // then the monitor connects again
    base::Milliseconds farewell{30'000};       // how long to wait for answers at the end
    std::vector<BedPlan> beds;
};

constexpr std::size_t max_beds = 1000;

[[nodiscard]] base::Result<WardPlan> read_plan(const std::string& file);
// What no run can work with, in one line.
[[nodiscard]] base::Status check(const WardPlan& plan);

}  // namespace mitral::bedside
