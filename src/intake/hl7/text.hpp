// What stands between delimiters as text: escape sequences (HL7 v2.6 §2.7) and character sets
// (MSH-18, table 0211). No I/O.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

// Delimiters, \Xhh..\ and \.br\ become what they stand for, highlighting goes, anything unknown
// stays as it is.
[[nodiscard]] std::string unescape(std::string_view text, const Delimiters& delimiters);

// A message in UTF-8, whatever set its MSH-18 names. `text` itself where nothing is to be done,
// else `storage`, which keeps the result. Unusable: a set that MLLP cannot carry or that we do not
// know, or bytes that are not of the set.
[[nodiscard]] std::expected<std::string_view, Unusable> to_utf8(std::string_view text,
                                                                std::string_view character_set,
                                                                std::string& storage);

// Keeps the system's converters loaded: they are files, which a process may not open any more in
// its sandbox.
class CharacterSets {
  public:
    CharacterSets();
    ~CharacterSets();
    CharacterSets(const CharacterSets&) = delete;
    CharacterSets& operator=(const CharacterSets&) = delete;

  private:
    struct Loaded;
    std::unique_ptr<Loaded> loaded_;
};

}  // namespace mitral::intake::hl7
