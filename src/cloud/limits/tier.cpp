#include "cloud/limits/tier.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::limits {
namespace {

struct Row {
    std::string_view tier;
    std::int64_t most_units;
    Figures of_a_unit;
    // However few the units are.
    std::int64_t least_sends;
    std::int64_t least_twin_reads;
    std::int64_t least_twin_updates;
};

constexpr std::int64_t kib = 1'024;

constexpr Figures free_unit{.messages_a_day = 8'000,
                            .meter_bytes = 512,
                            .connects_a_second = 12,
                            .sends_a_second = 12,
                            .devicebound_a_minute = 100,
                            .registry_a_minute = 100,
                            .queries_a_minute = 20,
                            .twin_reads_a_second = 0,
                            .twin_updates_a_second = 0,
                            .method_bytes_a_second = 160 * kib};

constexpr Figures s1_unit() {
    auto unit = free_unit;
    unit.messages_a_day = 400'000;
    unit.meter_bytes = 4'096;
    return unit;
}

constexpr Figures s2_unit{.messages_a_day = 6'000'000,
                          .meter_bytes = 4'096,
                          .connects_a_second = 120,
                          .sends_a_second = 120,
                          .devicebound_a_minute = 100,
                          .registry_a_minute = 100,
                          .queries_a_minute = 20,
                          .twin_reads_a_second = 10,
                          .twin_updates_a_second = 5,
                          .method_bytes_a_second = 480 * kib};

constexpr Figures s3_unit{.messages_a_day = 300'000'000,
                          .meter_bytes = 4'096,
                          .connects_a_second = 6'000,
                          .sends_a_second = 6'000,
                          .devicebound_a_minute = 5'000,
                          .registry_a_minute = 5'000,
                          .queries_a_minute = 1'000,
                          .twin_reads_a_second = 500,
                          .twin_updates_a_second = 250,
                          .method_bytes_a_second = 24 * kib * kib};

constexpr std::array<Row, 4> rows{{{"F1", 1, free_unit, 100, 100, 50},
                                   {"S1", 200, s1_unit(), 100, 100, 50},
                                   {"S2", 200, s2_unit, 120, 100, 50},
                                   {"S3", 10, s3_unit, 6'000, 500, 250}}};

}  // namespace

base::Result<Figures> figures_of(std::string_view tier, std::int64_t units) {
    const auto row = std::find_if(rows.begin(), rows.end(), [tier](const Row& each) {
        return azure::equal_ignoring_case(each.tier, tier);
    });
    if (row == rows.end())
        return base::fail(CloudError::invalid_argument, "tier is F1, S1, S2 or S3");
    if (units < 1 || units > row->most_units)
        return base::fail(CloudError::invalid_argument,
                          "units of this tier are 1 to " + std::to_string(row->most_units));
    auto figures = row->of_a_unit;
    for (auto* figure :
         {&figures.messages_a_day, &figures.connects_a_second, &figures.sends_a_second,
          &figures.devicebound_a_minute, &figures.registry_a_minute, &figures.queries_a_minute,
          &figures.twin_reads_a_second, &figures.twin_updates_a_second,
          &figures.method_bytes_a_second})
        *figure *= units;
    for (auto* figure : {&figures.connects_a_second, &figures.sends_a_second})
        *figure = std::max(*figure, row->least_sends);
    figures.twin_reads_a_second = std::max(figures.twin_reads_a_second, row->least_twin_reads);
    figures.twin_updates_a_second =
        std::max(figures.twin_updates_a_second, row->least_twin_updates);
    return figures;
}

}  // namespace mitral::cloud::limits
