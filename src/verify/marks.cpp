#include "verify/marks.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "base/file.hpp"

namespace mitral::verify {
namespace {

constexpr std::string_view magic = "MVM3";
constexpr std::size_t max_file = 64 * 1024;

auto malformed() {
    return base::fail(base::BaseError::malformed, "that is no file of a unit's marks");
}

// Throws nothing, remembers the first thing that was not there.
class Reader {
  public:
    explicit Reader(base::ByteView bytes) : in_(bytes) {}

    template <std::size_t Size>
    void into(std::array<std::uint8_t, Size>& out) {
        if (const auto bytes = keep(in_.take(Size)))
            std::copy(bytes->begin(), bytes->end(), out.begin());
    }
    void into(std::string& out) {
        if (const auto text = keep(in_.text16()))
            out = *text;
    }
    [[nodiscard]] std::uint64_t u64() { return keep(in_.u64()).value_or(0); }
    [[nodiscard]] bool flag() {
        const auto value = u64();
        good_ = good_ && value <= 1;
        return value == 1;
    }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool done() const { return good_ && in_.done(); }

  private:
    template <typename T>
    std::optional<T> keep(std::optional<T> value) {
        good_ = good_ && value.has_value();
        return value;
    }
    base::ByteReader in_;
    bool good_ = true;
};

void read_lanes(Reader& in, std::vector<attest::LaneReport>& lanes) {
    for (auto left = in.u64(); in.good() && left > 0; --left) {
        auto& lane = lanes.emplace_back();
        in.into(lane.name);
        lane.stream = in.u64();
        lane.first = in.u64();
        lane.end = in.u64();
        in.into(lane.hash);
        lane.gaps = in.u64();
    }
}

void read_taken(Reader& in, std::vector<Taken>& taken) {
    for (auto left = in.u64(); in.good() && left > 0; --left) {
        auto& one = taken.emplace_back();
        one.number = in.u64();
        in.into(one.digest);
        in.into(one.boot);
        one.lists_held = in.flag();
    }
}

bool is_consistent(const Marks& marks) {
    const auto rises = [](const Taken& a, const Taken& b) { return a.number < b.number; };
    return marks.taken.size() <= Marks::max_taken && marks.lanes.size() <= Marks::max_lanes &&
           std::is_sorted(marks.taken.begin(), marks.taken.end(), rises);
}

}  // namespace

Marks first_marks(const attest::State& state, std::int64_t now_s) {
    Marks marks;
    marks.key = state.attestation_key;
    marks.unit_id = state.unit_id;
    marks.registration_id = state.registration_id;
    marks.mints = state.mints;
    marks.time_floor_s = state.time_floor_s;
    marks.order_counter = state.order_counter;
    marks.epoch = state.epoch;
    marks.heard_s = now_s;
    marks.attested = {state.checkpoint, state.boot_id};
    return marks;
}

base::Bytes encode(const Marks& marks) {
    base::ByteWriter out;
    out.text(magic).raw(marks.key).raw(marks.unit_id).text16(marks.registration_id);
    out.u64(marks.mints).u64(static_cast<std::uint64_t>(marks.time_floor_s));
    out.u64(marks.order_counter).u64(marks.epoch).u64(marks.log_entries).raw(marks.log_head);
    out.u64(static_cast<std::uint64_t>(marks.heard_s)).u64(marks.lanes.size());
    for (const auto& lane : marks.lanes)
        out.text16(lane.name)
            .u64(lane.stream)
            .u64(lane.first)
            .u64(lane.end)
            .raw(lane.hash)
            .u64(lane.gaps);
    out.u64(marks.taken.size());
    for (const auto& one : marks.taken)
        out.u64(one.number).raw(one.digest).raw(one.boot).u64(one.lists_held ? 1 : 0);
    out.u64(marks.attested.number).raw(marks.attested.boot);
    return std::move(out).bytes();
}

base::Result<Marks> decode_marks(base::ByteView bytes) {
    Reader in(bytes);
    std::array<std::uint8_t, magic.size()> start{};
    Marks marks;
    in.into(start);
    in.into(marks.key);
    in.into(marks.unit_id);
    in.into(marks.registration_id);
    marks.mints = in.u64();
    marks.time_floor_s = static_cast<std::int64_t>(in.u64());
    marks.order_counter = in.u64();
    const auto epoch = in.u64();
    marks.epoch = static_cast<std::uint32_t>(epoch);
    marks.log_entries = in.u64();
    in.into(marks.log_head);
    marks.heard_s = static_cast<std::int64_t>(in.u64());
    read_lanes(in, marks.lanes);
    read_taken(in, marks.taken);
    marks.attested.number = in.u64();
    in.into(marks.attested.boot);
    if (!in.done() || base::as_text(start) != magic || epoch != marks.epoch ||
        !is_consistent(marks))
        return malformed();
    return marks;
}

base::Status save(const std::string& path, const Marks& marks) {
    const auto bytes = encode(marks);
    if (bytes.size() > max_file || !decode_marks(bytes))
        return malformed();
    return base::replace_file(path, bytes, 0600);
}

base::Result<Marks> load(const std::string& path) {
    MITRAL_TRY(const auto bytes, base::read_file(path, max_file));
    auto marks = decode_marks(bytes);
    if (!marks)
        return base::fail_with(path, marks.error());
    return marks;
}

}  // namespace mitral::verify
