#include <tee_client_api.h>

#include <fmt/format.h>

#include "trusted/protocol.h"
#include "vault/errors.hpp"
#include "vault/optee/channel.hpp"

namespace mitral::vault::optee {
namespace {

auto unavailable(std::string_view what, TEEC_Result result) {
    return base::fail(VaultError::backend_unavailable,
                      fmt::format("{} the Trusted Application: {:#010x}", what, result));
}

class TeeChannel final : public Channel {
  public:
    TeeChannel() = default;
    TeeChannel(const TeeChannel&) = delete;
    TeeChannel& operator=(const TeeChannel&) = delete;
    ~TeeChannel() override { disconnect(); }

    [[nodiscard]] base::Result<base::Secret> invoke(std::uint32_t command,
                                                    base::ByteView request) override {
        if (request.size() > TRUSTED_MAX_REQUEST)
            return base::fail(VaultError::malformed, "request is too large");
        MITRAL_CHECK(connect());
        base::Secret reply(TRUSTED_MAX_REPLY);
        // libteec takes no const, and does not write to an input.
        base::Bytes input(request.begin(), request.end());
        TEEC_Operation operation{};
        operation.paramTypes =
            TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
        operation.params[0].tmpref = {input.data(), input.size()};
        operation.params[1].tmpref = {reply.bytes().data(), reply.size()};
        const auto result = TEEC_InvokeCommand(&session_, command, &operation, nullptr);
        base::wipe(input);
        if (result != TEEC_SUCCESS) {
            // A panic ends the instance; the next call starts another.
            disconnect();
            return unavailable("no answer from", result);
        }
        if (operation.params[1].tmpref.size > reply.size())
            return base::fail(VaultError::backend_failure, "reply is larger than its buffer");
        return base::Secret(reply.view().first(operation.params[1].tmpref.size));
    }

  private:
    [[nodiscard]] base::Status connect() {
        if (connected_)
            return {};
        if (const auto result = TEEC_InitializeContext(nullptr, &context_); result != TEEC_SUCCESS)
            return unavailable("no way to", result);
        const TEEC_UUID uuid = TRUSTED_UUID;
        std::uint32_t origin = 0;
        // The kernel says to the secure world who asks; the Trusted Application takes one user.
        const auto result = TEEC_OpenSession(&context_, &session_, &uuid, TEEC_LOGIN_USER, nullptr,
                                             nullptr, &origin);
        if (result != TEEC_SUCCESS) {
            TEEC_FinalizeContext(&context_);
            return unavailable("no session with", result);
        }
        connected_ = true;
        return {};
    }

    void disconnect() noexcept {
        if (!connected_)
            return;
        TEEC_CloseSession(&session_);
        TEEC_FinalizeContext(&context_);
        connected_ = false;
    }

    TEEC_Context context_{};
    TEEC_Session session_{};
    bool connected_ = false;
};

}  // namespace

std::unique_ptr<Channel> open_tee_channel() {
    return std::make_unique<TeeChannel>();
}

}  // namespace mitral::vault::optee
