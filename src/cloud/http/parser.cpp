#include "cloud/http/parser.hpp"

// Beast 1.74 asserts five bytes where a last chunk that is the first may show four
// (parse_chunk_header): a client could abort a debug build. The code behind the assertion copes;
// fuzz_http watches it with ASan.
#define BOOST_DISABLE_ASSERTS
#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::http {
namespace {

namespace beast = boost::beast::http;
using Parser = beast::request_parser<beast::string_body>;

constexpr std::size_t max_parameters = 64;

std::string text_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

Method method_of(beast::verb verb) {
    switch (verb) {
        case beast::verb::get:
            return Method::get;
        case beast::verb::put:
            return Method::put;
        case beast::verb::post:
            return Method::post;
        case beast::verb::patch:
            return Method::patch;
        case beast::verb::delete_:
            return Method::remove;
        default:
            return Method::other;
    }
}

// Their lines are one list (RFC 9110 §5.3), and a second key must not hide the first.
bool is_of_upgrade(std::string_view name) {
    return name == "connection" || name == "upgrade" || name.starts_with("sec-websocket-");
}

void add_header(Request& request, std::string name, std::string value) {
    auto& held = request.headers[name];
    if (is_of_upgrade(name) && !held.empty())
        held.append(", ").append(value);
    else
        held = std::move(value);
}

Request to_request(beast::request<beast::string_body>&& message) {
    Request request;
    request.method = method_of(message.method());
    const auto target = text_of(message.target());
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos)
        request.query = parse_query(std::string_view(target).substr(mark + 1));
    request.authorization = text_of(message[beast::field::authorization]);
    request.if_match = text_of(message[beast::field::if_match]);
    request.keep_alive = message.keep_alive();
    request.version = message.version();
    for (const auto& field : message)
        add_header(request, azure::to_lower(text_of(field.name_string())), text_of(field.value()));
    request.body = std::move(message.body());
    return request;
}

std::optional<std::string> form_decode(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return azure::percent_decode(spaced);
}

}  // namespace

struct RequestParser::State {
    std::optional<Parser> parser;
    bool continue_asked = false;
    bool continue_due = false;

    void begin() {
        parser.emplace();
        parser->header_limit(max_header_bytes);
        parser->body_limit(max_body_bytes);
        parser->eager(true);
        continue_asked = false;
    }
};

RequestParser::RequestParser() : state_(std::make_unique<State>()) {
    state_->begin();
}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

base::Result<std::optional<Request>> RequestParser::take(base::ByteView input, std::size_t& taken) {
    auto& parser = *state_->parser;
    boost::beast::error_code error;
    taken = parser.put(boost::asio::const_buffer(input.data(), input.size()), error);
    if (error == beast::error::need_more)
        error = {};
    if (error == beast::error::header_limit || error == beast::error::body_limit ||
        error == beast::error::buffer_overflow)
        return base::fail(CloudError::too_large, "request above the limit");
    if (error)
        return base::fail(CloudError::malformed_packet, "request: " + error.message());
    if (parser.is_header_done() && !std::exchange(state_->continue_asked, true))
        state_->continue_due =
            !parser.is_done() &&
            beast::token_list(parser.get()[beast::field::expect]).exists("100-continue");
    if (!parser.is_done())
        return std::nullopt;
    Request request = to_request(parser.release());
    state_->begin();
    return request;
}

bool RequestParser::wants_continue() {
    return std::exchange(state_->continue_due, false);
}

std::map<std::string, std::string> parse_query(std::string_view text) {
    std::map<std::string, std::string> query;
    while (!text.empty() && query.size() < max_parameters) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        const auto name = form_decode(pair.substr(0, equals));
        const auto value = form_decode(equals == std::string_view::npos ? std::string_view()
                                                                        : pair.substr(equals + 1));
        if (name && value && !name->empty())
            query[*name] = *value;
    }
    return query;
}

}  // namespace mitral::cloud::http
