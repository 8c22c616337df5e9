// A software TPM of one test's own: state in a scratch directory, ports chosen by the kernel, gone
// with the test. There is no way to skip it: without swtpm the tests fail.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace mitral::test {

class Swtpm {
  public:
    // Aborts the test program when swtpm cannot be started.
    explicit Swtpm(const std::string& state_directory);
    Swtpm(const Swtpm&) = delete;
    Swtpm& operator=(const Swtpm&) = delete;
    ~Swtpm();

    [[nodiscard]] std::string tcti() const;
    void stop();   // as when power fails
    void start();  // on the same ports, with the same state

    // Another TPM in its place, at the same ports; its state is in `state_directory`.
    void replace(const std::string& state_directory);

  private:
    void spawn();
    [[nodiscard]] bool wait_until_ready();

    std::string directory_;
    std::uint16_t port_ = 0;  // commands; the control channel is one above
    pid_t pid_ = -1;
};

}  // namespace mitral::test
