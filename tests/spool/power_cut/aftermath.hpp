// The start after a power cut: an uplink that is there first, a writer that recovers and takes
// readings again, an uplink that starts over.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "spool/power_cut/books.hpp"
#include "spool/power_cut/disk_model.hpp"
#include "spool/power_cut/recorder.hpp"
#include "spool/support.hpp"
#include "spool/writer.hpp"

namespace mitral::spool::test {

class Aftermath {
  public:
    // `options`: the settings of the writer that was cut off; the start is played below `root`.
    Aftermath(WriterOptions options, FakeKeys& keys, const base::Clock& clock, std::string root);

    // What is broken on this disk.
    [[nodiscard]] std::vector<std::string> check(const Image& disk, const Books& books,
                                                 const std::set<std::string>& sent);
    // The recovery alone, recorded with what it promises, for a second cut.
    struct Again {
        Recording recording;
        Journal journal;
    };
    [[nodiscard]] Again recover(const Image& disk);
    // What recover() and check() append.
    [[nodiscard]] static std::string probe(Lane lane);

  private:
    [[nodiscard]] Found begin(Lane lane, std::unique_ptr<LaneReader>& reader);
    [[nodiscard]] std::vector<std::string> begin_writing(Writer& writer);

    WriterOptions options_;
    FakeKeys& keys_;
    const base::Clock& clock_;
    std::string root_;
};

}  // namespace mitral::spool::test
