// The result type of the whole project. Nothing throws across a room: a function that can fail
// returns Result<T>, which the caller has to look at.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace mitral::base {

// What went wrong (one enum per room, registered as an error code) and where, in words for a
// person. `context` names the cause and the remedy; it never holds a key, a token or a patient's
// data.
struct [[nodiscard]] Error {
    std::error_code code;
    std::string context;

    [[nodiscard]] std::string message() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] std::unexpected<Error> fail(std::error_code code, std::string context);

// The calling thread's errno (or `error_number`) as an error of the generic category.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string context);
[[nodiscard]] std::unexpected<Error> fail_errno(int error_number, std::string context);

// Passes an error on with a word about what was being done: "open lane vitals: …".
[[nodiscard]] std::unexpected<Error> fail_with(std::string_view doing, const Error& cause);

// Makes the error category of a room's enum: the names are what a log line shows.
// Usage: see BaseError in base/errors.hpp.
template <typename Enum>
class RoomCategory final : public std::error_category {
  public:
    using Describe = const char* (*)(Enum);
    constexpr RoomCategory(const char* room, Describe describe)
        : room_(room), describe_(describe) {}
    [[nodiscard]] const char* name() const noexcept override { return room_; }
    [[nodiscard]] std::string message(int value) const override {
        return describe_(static_cast<Enum>(value));
    }

  private:
    const char* room_;
    Describe describe_;
};

}  // namespace mitral::base

// Assigns the value of a Result, or returns its error from the enclosing function.
//   MITRAL_TRY(auto key, client.new_data_key());
#define MITRAL_TRY_JOIN_(a, b) a##b
#define MITRAL_TRY_NAME_(line) MITRAL_TRY_JOIN_(mitral_result_, line)
#define MITRAL_TRY(target, expression)                                         \
    auto MITRAL_TRY_NAME_(__LINE__) = (expression);                            \
    if (!MITRAL_TRY_NAME_(__LINE__))                                           \
        return std::unexpected(std::move(MITRAL_TRY_NAME_(__LINE__)).error()); \
    target = *std::move(MITRAL_TRY_NAME_(__LINE__))

// The same for a Status.
#define MITRAL_CHECK(expression)                                      \
    do {                                                              \
        if (auto mitral_status = (expression); !mitral_status)        \
            return std::unexpected(std::move(mitral_status).error()); \
    } while (false)
