// Runs one attempt in a child process, inside the sandbox or (as the control) outside it, and says
// how it ended. Without the control a test would also pass when the attempt is broken or the
// machine forbids it anyway.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/sandbox.hpp"

namespace mitral::test {

// Returns 0 when what it tried worked, or the errno of the refusal.
using Attempt = std::function<int()>;

struct Outcome {
    int error = 0;   // errno of the refusal
    int signal = 0;  // the signal that killed the child
    bool entered = true;

    [[nodiscard]] bool succeeded() const { return entered && error == 0 && signal == 0; }
    [[nodiscard]] bool refused() const { return entered && (error != 0 || signal != 0); }
    [[nodiscard]] bool killed_by_filter() const;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

[[nodiscard]] Outcome attempt_in(const base::SandboxPolicy& policy, const Attempt& attempt);
[[nodiscard]] Outcome attempt_outside(const Attempt& attempt);

// errno after a call that returns -1 on failure, else 0.
[[nodiscard]] int error_of(long result);

[[nodiscard]] bool is_root();

// A directory tree that everyone may use as far as file modes go, so that only the sandbox can
// refuse: own/ (state of this room, with own/state) and foreign/ (another room's, with
// foreign/secret).
class CageTest : public ::testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] std::string own(const std::string& name = "") const {
        return root_ + "/own/" + name;
    }
    [[nodiscard]] std::string foreign(const std::string& name = "") const {
        return root_ + "/foreign/" + name;
    }
    // A room's usual policy: its own state and nothing else; drops root when there is root to drop.
    [[nodiscard]] base::SandboxPolicy room() const;

  private:
    std::string root_;
};

}  // namespace mitral::test
