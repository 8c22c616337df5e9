#include "cloud/http/message.hpp"

namespace mitral::cloud::http {

void LateAnswer::give(Response response) {
    if (std::exchange(done_, true))
        return;
    if (take_)
        take_(std::move(response));
    else
        given_ = std::make_unique<Response>(std::move(response));
}

void LateAnswer::on_given(std::function<void(Response)> take) {
    if (given_)
        take(std::move(*std::exchange(given_, nullptr)));
    else
        take_ = std::move(take);
}

}  // namespace mitral::cloud::http
