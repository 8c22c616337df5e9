#pragma once

namespace mitral::base {

// For std::unique_ptr over what a C library frees: Deleter<X509_free>.
template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

}  // namespace mitral::base
