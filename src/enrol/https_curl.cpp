#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/errors.hpp"
#include "enrol/curl_errors.hpp"
#include "enrol/https.hpp"

namespace mitral::enrol {
namespace {

constexpr std::size_t max_header_bytes = 32 * 1024;

// RFC 9325 §4.2, as in the uplink.
constexpr const char* tls12_suites = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* groups = "X25519:P-256:P-384";

struct EasyDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

// Header lines for libcurl. One of them is the token: its copy is wiped.
class HeaderList {
  public:
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList() {
        for (auto* line = list_; line != nullptr; line = line->next)
            base::wipe(
                {reinterpret_cast<std::uint8_t*>(line->data), std::string_view(line->data).size()});
        curl_slist_free_all(list_);
    }

    void add(const char* line) {
        if (auto* longer = curl_slist_append(list_, line))
            list_ = longer;
    }
    void add_authorization(const base::Secret& token) {
        constexpr std::string_view name = "Authorization: ";
        base::Secret line(name.size() + token.size() + 1);  // zero-terminated
        std::ranges::copy(base::as_bytes(name), line.bytes().begin());
        std::ranges::copy(token.view(), line.bytes().begin() + name.size());
        add(reinterpret_cast<const char*>(line.view().data()));
    }
    [[nodiscard]] curl_slist* get() const noexcept { return list_; }

  private:
    curl_slist* list_ = nullptr;
};

// What arrives, bounded while it arrives.
struct Arrival {
    std::size_t max_body = 0;
    std::size_t header_bytes = 0;
    bool too_large = false;
    HttpResponse response;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& arrival = *static_cast<Arrival*>(user);
    if (size > arrival.max_body - arrival.response.body.size()) {
        arrival.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    arrival.response.body.append(data, size);
    return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* user) {
    auto& arrival = *static_cast<Arrival*>(user);
    arrival.header_bytes += size;
    if (arrival.header_bytes > max_header_bytes) {
        arrival.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    std::string_view line(data, size);
    constexpr std::string_view name = "retry-after:";
    if (line.size() > name.size() && curl_strnequal(data, name.data(), name.size()) != 0) {
        line.remove_prefix(name.size());
        const auto first = line.find_first_not_of(" \t");
        const auto last = line.find_last_not_of(" \t\r\n");
        if (first != std::string_view::npos)
            arrival.response.retry_after = line.substr(first, last - first + 1);
    }
    return size;
}

class CurlHttps final : public Https {
  public:
    CurlHttps(std::unique_ptr<CURL, EasyDeleter> handle, HttpsOptions options)
        : handle_(std::move(handle)), options_(std::move(options)) {}

    [[nodiscard]] base::Result<HttpResponse> perform(const HttpRequest& request) override {
        curl_easy_reset(handle_.get());
        failed_ = CURLE_OK;
        detail_.fill('\0');
        HeaderList headers;
        Arrival arrival;
        arrival.max_body = options_.max_body;
        set_transport();
        set_trust();
        set_request(request, headers);
        set(CURLOPT_WRITEFUNCTION, take_body);
        set(CURLOPT_WRITEDATA, static_cast<void*>(&arrival));
        set(CURLOPT_HEADERFUNCTION, take_header);
        set(CURLOPT_HEADERDATA, static_cast<void*>(&arrival));
        if (failed_ != CURLE_OK)
            return base::fail(base::BaseError::not_supported,
                              fmt::format("this libcurl lacks an option Mitral needs ({})",
                                          curl_easy_strerror(failed_)));
        return run(arrival);
    }

  private:
    template <typename Value>
    void set(CURLoption option, Value value) {
        if (const auto code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK)
            failed_ = code;
    }

    void set_transport() {
        set(CURLOPT_ERRORBUFFER, detail_.data());
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROTOCOLS_STR, "https");
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
        set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
        // Both are set even when empty: otherwise libcurl asks the environment.
        set(CURLOPT_NOPROXY, "");
        set(CURLOPT_PROXY, proxy_url().c_str());
        if (options_.proxy) {
            set(CURLOPT_HTTPPROXYTUNNEL, 1L);
            set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        }
    }

    void set_trust() {
        curl_blob roots{};
        roots.data = options_.roots_pem.data();
        roots.len = options_.roots_pem.size();
        roots.flags = CURL_BLOB_COPY;
        set(CURLOPT_CAINFO_BLOB, &roots);
        set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // never the machine's own store
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        const bool only_13 = options_.minimum_tls == net::TlsVersion::tls13;
        set(CURLOPT_SSLVERSION,  // a floor
            static_cast<long>(only_13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_SSL_CIPHER_LIST, tls12_suites);
        set(CURLOPT_SSL_EC_CURVES, groups);
    }

    void set_request(const HttpRequest& request, HeaderList& headers) {
        set(CURLOPT_URL, url(request.path).c_str());
        set(CURLOPT_USERAGENT, options_.user_agent.c_str());
        headers.add("Accept: application/json");
        headers.add("Content-Type: application/json; charset=utf-8");
        headers.add("Expect:");
        if (request.authorization != nullptr)
            headers.add_authorization(*request.authorization);
        set(CURLOPT_HTTPHEADER, headers.get());
        // The token is for the server, not for the proxy on the way.
        set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
        if (request.method == HttpRequest::Method::put) {
            set(CURLOPT_CUSTOMREQUEST, "PUT");
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
        } else {
            set(CURLOPT_HTTPGET, 1L);
        }
    }

    base::Result<HttpResponse> run(Arrival& arrival) {
        const auto code = curl_easy_perform(handle_.get());
        if (arrival.too_large)
            return base::fail(base::BaseError::too_large,
                              fmt::format("{} answers with more than {} bytes",
                                          options_.server.host, options_.max_body));
        if (code != CURLE_OK) {
            long verdict = 0;
            (void)curl_easy_getinfo(handle_.get(), CURLINFO_SSL_VERIFYRESULT, &verdict);
            return curl_failure({code, verdict, detail_.data(), options_.proxy.has_value()},
                                options_.server);
        }
        long status = 0;
        (void)curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
        arrival.response.status = static_cast<int>(status);
        return std::move(arrival.response);
    }

    [[nodiscard]] std::string proxy_url() const {
        if (!options_.proxy)
            return {};
        return fmt::format("http://{}:{}", bracketed(options_.proxy->host), options_.proxy->port);
    }
    [[nodiscard]] std::string url(const std::string& path) const {
        return fmt::format("https://{}:{}{}", bracketed(options_.server.host), options_.server.port,
                           path);
    }
    [[nodiscard]] static std::string bracketed(const std::string& host) {
        return host.find(':') == std::string::npos ? host : "[" + host + "]";
    }

    std::unique_ptr<CURL, EasyDeleter> handle_;
    HttpsOptions options_;
    CURLcode failed_ = CURLE_OK;
    std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace

base::Result<std::unique_ptr<Https>> make_https(HttpsOptions options) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    std::unique_ptr<CURL, EasyDeleter> handle(started == CURLE_OK ? curl_easy_init() : nullptr);
    if (!handle)
        return base::fail(base::BaseError::not_supported, "libcurl does not start");
    return std::make_unique<CurlHttps>(std::move(handle), std::move(options));
}

}  // namespace mitral::enrol
