#include "vault/time_client.hpp"

#include <utility>

namespace mitral::vault {
namespace {

class SocketTimeClient final : public TimeClient {
  public:
    explicit SocketTimeClient(Connection connection) : connection_(std::move(connection)) {}

    base::Result<base::Bytes> begin_time() override {
        Request request;
        request.operation = Operation::begin_time;
        MITRAL_TRY(const auto reply, connection_.ask(request));
        return decode_statement_reply(reply.view());
    }

    base::Result<std::int64_t> take_time(base::ByteView answer) override {
        Request request;
        request.operation = Operation::take_time;
        request.blob.assign(answer.begin(), answer.end());
        MITRAL_TRY(const auto reply, connection_.ask(request));
        return decode_time_reply(reply.view());
    }

  private:
    Connection connection_;
};

}  // namespace

base::Result<std::unique_ptr<TimeClient>> TimeClient::connect(const std::string& socket_path,
                                                              base::Milliseconds timeout) {
    MITRAL_TRY(auto connection, Connection::open(socket_path, timeout));
    return std::make_unique<SocketTimeClient>(std::move(connection));
}

}  // namespace mitral::vault
