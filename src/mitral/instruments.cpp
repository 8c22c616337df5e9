#include <unistd.h>

#include "base/process.hpp"
#include "mitral/doctor.hpp"

namespace mitral::cli {
namespace {

// Takes on a user's effective id; the vault sees the id a peer had when it connected (unix(7)).
class ActingAs {
  public:
    static base::Result<ActingAs> become(const std::string& user) {
        MITRAL_TRY(const auto uid, base::user_id(user));
        if (uid == ::geteuid())
            return ActingAs(false);
        if (::seteuid(uid) != 0)
            return base::fail_errno("act as " + user);
        return ActingAs(true);
    }
    ActingAs(ActingAs&& other) noexcept : changed_(std::exchange(other.changed_, false)) {}
    ActingAs& operator=(ActingAs&&) = delete;
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;
    ~ActingAs() {
        if (changed_ && ::seteuid(::getuid()) != 0)
            std::abort();  // never go on as somebody else
    }

  private:
    explicit ActingAs(bool changed) : changed_(changed) {}
    bool changed_;
};

base::Result<std::unique_ptr<vault::Client>> connect_vault(const std::string& socket,
                                                           const std::string& user) {
    if (user.empty())
        return vault::Client::connect(socket);
    MITRAL_TRY(const auto acting, ActingAs::become(user));
    (void)acting;
    return vault::Client::connect(socket);
}

}  // namespace

Instruments real_instruments(const base::Clock& clock) {
    return {clock, connect_vault, enrol::make_https};
}

}  // namespace mitral::cli
