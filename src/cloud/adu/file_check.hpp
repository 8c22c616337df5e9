// Size and SHA-256 of a file, a piece at a time: two gigabytes must not hold the event loop up.
#pragma once

#include <memory>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace mitral::cloud::adu {

class FileCheck {
  public:
    static constexpr std::size_t piece = 4 * 1024 * 1024;

    // `sha256` is base64. Fails with not_found, or invalid_argument when the size differs.
    [[nodiscard]] static base::Result<FileCheck> open(const std::string& path, std::string name,
                                                      std::int64_t size, std::string sha256);
    FileCheck(FileCheck&&) noexcept;
    FileCheck& operator=(FileCheck&&) noexcept;
    ~FileCheck();

    // True once the whole file has been read and is the one that was meant; invalid_argument when
    // it is another.
    [[nodiscard]] base::Result<bool> step();

  private:
    struct State;
    explicit FileCheck(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace mitral::cloud::adu
