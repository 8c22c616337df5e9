#include "volume/crypt_partition.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/file.hpp"
#include "volume/header.hpp"

namespace mitral::volume {
namespace {

constexpr off_t second_copy_at = 512 << 10;
constexpr std::uint64_t volume_at = 1 << 20;
constexpr std::uint64_t sector = 512;
constexpr std::uint64_t block = 4096;

// Ends well or fails with the program's name; its words go where ours go.
base::Status run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<char*, 1> environment{nullptr};
    pid_t child = 0;
    if (const int error = posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(),
                                      environment.data());
        error != 0)
        return base::fail_errno(error, fmt::format("start {}", words[0]));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return base::fail_errno(fmt::format("wait for {}", words[0]));
    if (status != 0)
        return base::fail_errno(EIO, fmt::format("{} ended with status {}", words[0], status));
    return {};
}

// In a keyring of this process and its children; revoked when the kernel's mapper has its copy.
class KernelKey {
  public:
    [[nodiscard]] static base::Result<KernelKey> add(const std::string& name, base::ByteView key) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0)
            return base::fail_errno("make a keyring");
        const auto id = syscall(SYS_add_key, "logon", name.c_str(), key.data(), key.size(),
                                KEY_SPEC_SESSION_KEYRING);
        if (id < 0)
            return base::fail_errno("give the key to the kernel");
        return KernelKey(id);
    }
    KernelKey(const KernelKey&) = delete;
    KernelKey& operator=(const KernelKey&) = delete;
    KernelKey(KernelKey&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    KernelKey& operator=(KernelKey&&) = delete;
    ~KernelKey() {
        if (id_ >= 0)
            syscall(SYS_keyctl, KEYCTL_REVOKE, id_);
    }

  private:
    explicit KernelKey(long id) : id_(id) {}
    long id_;
};

class CryptPartition final : public Partition {
  public:
    CryptPartition(std::string device, std::string name)
        : device_(std::move(device)), name_(std::move(name)) {}

    [[nodiscard]] base::Result<base::Bytes> read_header() override {
        MITRAL_TRY(const auto file, base::open_file(device_, O_RDONLY));
        base::Bytes bytes(header_size);
        for (const bool second : {false, true}) {
            const auto got = pread(file.get(), bytes.data() + (second ? header_copy_size : 0),
                                   header_copy_size, second ? second_copy_at : 0);
            if (got != static_cast<ssize_t>(header_copy_size))
                return base::fail_errno(got < 0 ? errno : EIO, "read the header of " + device_);
        }
        return bytes;
    }

    // One after the other: a power cut leaves one of them whole.
    [[nodiscard]] base::Status write_header(base::ByteView header) override {
        MITRAL_TRY(const auto file, base::open_file(device_, O_WRONLY));
        for (const bool second : {false, true}) {
            const auto put = pwrite(file.get(), header.data() + (second ? header_copy_size : 0),
                                    header_copy_size, second ? second_copy_at : 0);
            if (put != static_cast<ssize_t>(header_copy_size) || fsync(file.get()) != 0)
                return base::fail_errno("write the header of " + device_);
        }
        return {};
    }

    [[nodiscard]] base::Status map(base::ByteView key) override {
        MITRAL_TRY(const auto size, size_of_device());
        if (size < volume_at + block)
            return base::fail_errno(ENOSPC, device_);
        const auto kernel_name = "mitral:" + name_;
        MITRAL_TRY(const auto held, KernelKey::add(kernel_name, key));
        const auto sectors = (size - volume_at) / block * (block / sector);
        return run(
            {"/usr/sbin/dmsetup", "create", name_, "--table",
             fmt::format("0 {} crypt aes-xts-plain64 :{}:logon:{} 0 {} {} 2 "
                         "sector_size:{} iv_large_sectors",
                         sectors, key.size(), kernel_name, device_, volume_at / sector, block)});
    }

    [[nodiscard]] base::Status make_file_system() override {
        MITRAL_CHECK(
            run({"/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "/dev/mapper/" + name_}));
        MITRAL_TRY(const auto file, base::open_file(device_, O_WRONLY));
        return fsync(file.get()) == 0 ? base::Status{} : base::fail_errno("write to " + device_);
    }

  private:
    [[nodiscard]] base::Result<std::uint64_t> size_of_device() const {
        MITRAL_TRY(const auto file, base::open_file(device_, O_RDONLY));
        std::uint64_t size = 0;
        if (ioctl(file.get(), BLKGETSIZE64, &size) != 0)
            return base::fail_errno("ask for the size of " + device_);
        return size;
    }

    std::string device_;
    std::string name_;
};

}  // namespace

std::unique_ptr<Partition> open_crypt_partition(std::string device, std::string name) {
    return std::make_unique<CryptPartition>(std::move(device), std::move(name));
}

}  // namespace mitral::volume
