// A storage that fails on demand, remembers what has been synced, and after a power cut leaves what
// a hostile disk would: of everything not synced any part, torn at sectors.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "spool/storage.hpp"

namespace mitral::spool::test {

class SimulatedDisk final : public Storage {
  public:
    explicit SimulatedDisk(std::string spool_directory);

    // Operations from number `first` (counted from now, 0 is the next) fail, `count` of them.
    void fail(std::uint64_t first, std::uint64_t count, int error_number);
    // A failing write leaves its first half behind, except within one sector.
    bool short_writes = false;
    [[nodiscard]] std::uint64_t operations() const { return operations_; }
    [[nodiscard]] bool failed() const { return failures_ > 0; }

    // Replaces the segments on the real disk by what the power cut left.
    void cut_power(std::mt19937_64& random);

    // How often one number was sealed twice, differently, under one key.
    [[nodiscard]] int reused_nonces() const { return reused_nonces_; }

    base::Result<base::UniqueFd> create(const std::string& path, mode_t mode,
                                        int group_id) override;
    base::Status write(int fd, base::ByteView content, std::uint64_t offset) override;
    base::Status sync(int fd) override;
    base::Status truncate(int fd, std::uint64_t size) override;
    base::Status rename(const std::string& from, const std::string& to) override;
    base::Status remove(const std::string& path) override;
    base::Status sync_directory(const std::string& path) override;

  private:
    struct Change {  // a write, or a truncation to `offset` when `cut`
        std::uint64_t offset = 0;
        base::Bytes content;
        bool cut = false;
    };
    struct File {
        base::Bytes durable;
        std::vector<Change> pending;
        base::Bytes wrapped_key;
    };
    struct NameChange {
        std::string removed;
        std::string added;
        std::uint64_t file = 0;
    };
    using Names = std::map<std::string, std::uint64_t>;

    [[nodiscard]] bool fails_now();
    [[nodiscard]] base::Status failure() const;
    [[nodiscard]] File& file_of(int fd);
    void learn(const std::string& lane_directory);
    void watch_nonces(File& file, base::ByteView content, std::uint64_t offset);
    static void apply(base::Bytes& content, const Change& change);
    static void apply_torn(base::Bytes& content, const Change& change, std::mt19937_64& random);
    static void apply(Names& names, const NameChange& change);

    std::string directory_;
    std::uint64_t operations_ = 0;
    std::uint64_t fail_first_ = ~0ULL;
    std::uint64_t fail_count_ = 0;
    int error_number_ = 0;
    std::uint64_t failures_ = 0;

    std::uint64_t next_file_ = 1;
    std::map<std::uint64_t, File> files_;
    std::map<ino_t, std::uint64_t> by_inode_;
    Names names_;          // as running programs see them
    Names durable_names_;  // as a power cut leaves them at least
    std::map<std::string, std::vector<NameChange>> pending_names_;  // by directory
    std::map<std::pair<base::Bytes, std::uint64_t>, base::Bytes> sealed_;
    int reused_nonces_ = 0;
};

}  // namespace mitral::spool::test
