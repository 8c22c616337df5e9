#include "bedside/bed_plan.hpp"

#include <fmt/format.h>

#include <set>

#include "base/config.hpp"
#include "base/errors.hpp"
#include "bedside/parameters.hpp"

namespace mitral::bedside {
namespace {

using base::BaseError;
using base::fail;
using base::Milliseconds;
using base::Result;
using base::Status;

constexpr std::int64_t day_ms = 86'400'000;

Result<BedPlan> read_bed(base::Table table) {
    BedPlan bed;
    bed.source = table.required_text("source");
    const auto dialect = table.text("dialect", "pcd");
    bed.to = table.text("to", "");
    bed.listen = table.text("listen", "");
    bed.from = table.text("from", "");
    bed.vitals_every =
        Milliseconds(table.integer("vitals_every_ms", bed.vitals_every.count(), 0, day_ms));
    bed.waves_every = Milliseconds(table.integer("waves_every_ms", 0, 0, 60'000));
    bed.window = static_cast<int>(table.integer("window", bed.window, 1, 1000));
    bed.batch = static_cast<int>(table.integer("batch", bed.batch, 1, 100));
    bed.first_row = static_cast<std::size_t>(table.integer("first_row", 0, 0, 1'000'000));
    bed.messages = static_cast<std::uint64_t>(table.integer("messages", 0, 0, 1'000'000'000));
    bed.clock_offset =
        Milliseconds(1000 * table.integer("clock_offset_s", 0, -1'000'000'000, 1'000'000'000));
    bed.zone = table.text("zone", "");
    bed.remarks = table.boolean("remarks", false);
    const auto faults = table.texts("faults");
    bed.fault_percent = static_cast<int>(table.integer("fault_percent", bed.fault_percent, 0, 100));
    bed.certificate = table.text("certificate", "");
    bed.key = table.text("key", "");
    bed.roots = table.texts("roots");
    bed.server_name = table.text("server_name", "");
    MITRAL_CHECK(table.finish());
    bed.dialect = find_dialect(dialect);
    if (bed.dialect == nullptr)
        return fail(BaseError::invalid_setting,
                    fmt::format("{}: '{}' is no dialect (pcd, local, private, queried)", bed.source,
                                dialect));
    MITRAL_TRY(bed.faults, parse_faults(faults));
    return bed;
}

Status check_bed(const BedPlan& bed) {
    const auto refuse = [&](std::string_view why) {
        return fail(BaseError::invalid_setting, fmt::format("bed '{}': {}", bed.source, why));
    };
    if (bed.source.empty() ||
        bed.source.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") !=
            std::string::npos)
        return refuse("a source is of letters, digits, '.', '_', ':' and '-'");
    if (bed.to.empty() == bed.listen.empty())
        return refuse("give either 'to' or 'listen'");
    if (bed.certificate.empty() != bed.key.empty())
        return refuse("certificate and key go together");
    if (!bed.to.empty() && bed.tls() && bed.roots.empty())
        return refuse("TLS needs 'roots', the gateway's CA");
    if (bed.vitals_every.count() == 0 && bed.waves_every.count() == 0)
        return refuse("says nothing: vitals_every_ms and waves_every_ms are both 0");
    if (bed.waves_every.count() * wave_rate % 1000 != 0)
        return refuse("waves_every_ms must hold whole samples (a multiple of 4)");
    if (bed.batch > 1 && bed.batch > bed.window)
        return refuse("a batch must fit the window");
    return {};
}

}  // namespace

Result<WardPlan> read_plan(const std::string& file) {
    MITRAL_TRY(const auto config, base::Config::load(file));
    WardPlan plan;
    for (const auto& name : config.names())
        if (name != "ward" && name != "bed")
            return fail(BaseError::invalid_setting,
                        fmt::format("{}: [{}] is neither [ward] nor [[bed]]", file, name));
    auto table = config.table("ward");
    plan.recording = table.text("recording", "");
    plan.book = table.text("book", "");
    plan.run =
        table.seconds("seconds", Milliseconds(0), Milliseconds(0), Milliseconds(30 * day_ms));
    plan.speed = static_cast<double>(table.integer("speed_percent", 100, 0, 1'000'000)) / 100;
    plan.seed = static_cast<std::uint64_t>(table.integer("seed", 1, 0, 1'000'000'000));
    plan.times = table.boolean("times", false);
    plan.answer_within =
        table.seconds("answer_s", plan.answer_within, Milliseconds(1000), Milliseconds(day_ms));
    plan.farewell =
        table.seconds("farewell_s", plan.farewell, Milliseconds(0), Milliseconds(day_ms));
    MITRAL_CHECK(table.finish());
    for (auto& bed : config.tables("bed")) {
        MITRAL_TRY(auto read, read_bed(std::move(bed)));
        plan.beds.push_back(std::move(read));
    }
    return plan;
}

Status check(const WardPlan& plan) {
    if (plan.beds.empty())
        return fail(BaseError::invalid_setting, "the plan has no [[bed]]");
    if (plan.beds.size() > max_beds)
        return fail(BaseError::invalid_setting,
                    fmt::format("{} beds; at most {}", plan.beds.size(), max_beds));
    if (plan.recording.empty())
        return fail(BaseError::invalid_setting, "no recording: name its folder with --recording");
    std::set<std::string_view> seen;
    for (const auto& bed : plan.beds) {
        MITRAL_CHECK(check_bed(bed));
        if (!seen.insert(bed.source).second)
            return fail(BaseError::invalid_setting,
                        fmt::format("two beds are called '{}'", bed.source));
    }
    return {};
}

}  // namespace mitral::bedside
