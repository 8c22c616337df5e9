// The account of one lane: what was committed, delivered, and told as a gap. Every number has to be
// in it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "spool/lane.hpp"

namespace mitral::spool::test {

class Ledger {
  public:
    // commit() has returned success for it.
    void committed(std::uint64_t sequence, std::string payload) {
        committed_.insert_or_assign(sequence, std::move(payload));
    }
    // A record out of the reader. Fails the test when a number comes with another content than
    // before.
    void delivered(const Record& record);

    // Fails the test unless each committed record was delivered unaltered or lies in a gap.
    void expect_complete(const std::string& where) const;
    // The same for every number up to `last`, and no number both delivered and in a gap.
    void expect_exact(std::uint64_t last) const;

    [[nodiscard]] std::size_t gap_size() const { return gaps_.size(); }
    [[nodiscard]] std::size_t delivered_size() const { return delivered_.size(); }
    [[nodiscard]] bool has(std::uint64_t sequence) const { return delivered_.contains(sequence); }

  private:
    std::map<std::uint64_t, std::string> committed_;
    std::map<std::uint64_t, Record> delivered_;
    std::set<std::uint64_t> gaps_;
};

}  // namespace mitral::spool::test
