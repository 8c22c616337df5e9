#include "cloud/adu/file_check.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::adu {
namespace {

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct FileCheck::State {
    base::UniqueFd file;
    std::string name;
    std::string sha256;
    std::unique_ptr<EVP_MD_CTX, FreeContext> digest{EVP_MD_CTX_new()};
    base::Bytes buffer = base::Bytes(64 * std::size_t{1024});
};

FileCheck::FileCheck(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileCheck::FileCheck(FileCheck&&) noexcept = default;
FileCheck& FileCheck::operator=(FileCheck&&) noexcept = default;
FileCheck::~FileCheck() = default;

base::Result<FileCheck> FileCheck::open(const std::string& path, std::string name,
                                        std::int64_t size, std::string sha256) {
    auto file = base::open_file(path, O_RDONLY);
    if (!file)
        return base::fail(CloudError::not_found, name + " has not been uploaded");
    struct stat info{};
    if (::fstat(file->get(), &info) != 0 || info.st_size != size)
        return base::fail(CloudError::invalid_argument,
                          name + " has " + std::to_string(info.st_size) + " bytes instead of " +
                              std::to_string(size));
    auto state = std::make_unique<State>();
    state->file = *std::move(file);
    state->name = std::move(name);
    state->sha256 = std::move(sha256);
    if (!state->digest || EVP_DigestInit_ex(state->digest.get(), EVP_sha256(), nullptr) != 1)
        return base::fail(CloudError::storage, "SHA-256 cannot be computed");
    return FileCheck(std::move(state));
}

base::Result<bool> FileCheck::step() {
    auto& buffer = state_->buffer;
    for (std::size_t done = 0; done < piece;) {
        const auto got = ::read(state_->file.get(), buffer.data(), buffer.size());
        if (got < 0)
            return base::fail_errno("read " + state_->name);
        if (got == 0) {
            std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
            unsigned size = 0;
            EVP_DigestFinal_ex(state_->digest.get(), digest.data(), &size);
            if (base::to_base64({digest.data(), size}) != state_->sha256)
                return base::fail(CloudError::invalid_argument,
                                  "sha256 of " + state_->name + " differs");
            return true;
        }
        EVP_DigestUpdate(state_->digest.get(), buffer.data(), static_cast<std::size_t>(got));
        done += static_cast<std::size_t>(got);
    }
    return false;
}

}  // namespace mitral::cloud::adu
