#include "base/result.hpp"

#include <cerrno>

namespace mitral::base {

std::string Error::message() const {
    return context.empty() ? code.message() : context + ": " + code.message();
}

std::unexpected<Error> fail(std::error_code code, std::string context) {
    return std::unexpected(Error{code, std::move(context)});
}

std::unexpected<Error> fail_errno(std::string context) {
    return fail_errno(errno, std::move(context));
}

std::unexpected<Error> fail_errno(int error_number, std::string context) {
    return fail({error_number, std::generic_category()}, std::move(context));
}

std::unexpected<Error> fail_with(std::string_view doing, const Error& cause) {
    std::string context(doing);
    if (!cause.context.empty())
        context.append(": ").append(cause.context);
    return fail(cause.code, std::move(context));
}

}  // namespace mitral::base
