#include "cloud/api/update_files_api.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "base/file.hpp"
#include "cloud/api/device_update_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::BodySource;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

class FilePart final : public BodySource {
  public:
    FilePart(base::UniqueFd file, ByteRange range) : file_(std::move(file)), range_(range) {}

    base::Result<Piece> next(std::size_t limit) override {
        Piece piece{range_.size > limit ? State::more : State::finished, {}};
        piece.data.resize(std::min<std::uint64_t>(limit, range_.size));
        for (std::size_t done = 0; done < piece.data.size();) {
            const auto got = ::pread(file_.get(), piece.data.data() + done,
                                     piece.data.size() - done, static_cast<off_t>(range_.first));
            if (got <= 0)
                return base::fail(CloudError::storage, "an update's file is shorter than it was");
            done += static_cast<std::size_t>(got);
            range_.first += static_cast<std::uint64_t>(got);
            range_.size -= static_cast<std::uint64_t>(got);
        }
        return piece;
    }
    void on_more(std::function<void()>) override {}

  private:
    base::UniqueFd file_;
    ByteRange range_;
};

bool read_number(std::string_view text, std::uint64_t& number) {
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    return !text.empty() && error == std::errc() && at == end;
}

Response not_found() {
    return update_refusal(404, "NotFound", "no such file");
}

Response send_file(const adu::DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto known = service.updates.file(at[0]);
    if (!known)
        return update_refusal(known.error());
    if (!*known || (*known)->name != at[1])
        return not_found();
    const auto& stored = **known;
    auto file = base::open_file(service.updates.path(stored.id), O_RDONLY);
    if (!file)
        return not_found();
    const auto total = static_cast<std::uint64_t>(stored.size);
    const auto etag = '"' + stored.sha256 + '"';
    ByteRange range{0, total};
    const auto same = request.header("if-range");
    const auto kind = same.empty() || same == etag
                          ? read_range(request.header("range"), total, range)
                          : RangeKind::whole;
    Response response;
    response.content_type = "application/octet-stream";
    response.headers = {{"Accept-Ranges", "bytes"}, {"ETag", etag}};
    if (kind == RangeKind::unsatisfiable) {
        response.status = 416;
        response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", total));
        return response;
    }
    if (kind == RangeKind::part) {
        response.status = 206;
        response.headers.emplace_back(
            "Content-Range",
            fmt::format("bytes {}-{}/{}", range.first, range.first + range.size - 1, total));
    }
    response.length = range.size;
    response.source = std::make_unique<FilePart>(*std::move(file), range);
    return response;
}

Response send_root_keys(adu::DeviceUpdate& service) {
    auto package = service.keys.package();
    if (!package)
        return update_refusal(package.error());
    Response response;
    response.body = *std::move(package);
    return response;
}

}  // namespace

RangeKind read_range(std::string_view header, std::uint64_t total, ByteRange& range) {
    constexpr std::string_view unit = "bytes=";
    range = {0, total};
    if (!header.starts_with(unit))
        return RangeKind::whole;
    header.remove_prefix(unit.size());
    const auto dash = header.find('-');
    if (dash == std::string_view::npos)
        return RangeKind::whole;
    const auto first = header.substr(0, dash);
    const auto last = header.substr(dash + 1);
    std::uint64_t from = 0;
    std::uint64_t to = total - 1;
    if (first.empty()) {  // the last so many bytes
        std::uint64_t count = 0;
        if (!read_number(last, count))
            return RangeKind::whole;
        if (count == 0)
            return RangeKind::unsatisfiable;
        from = count < total ? total - count : 0;
    } else if (!read_number(first, from) || (!last.empty() && !read_number(last, to)) ||
               to < from) {
        return !last.empty() || from < total ? RangeKind::whole : RangeKind::unsatisfiable;
    }
    if (from >= total)
        return RangeKind::unsatisfiable;
    range = {from, std::min(to, total - 1) - from + 1};
    return RangeKind::part;
}

void UpdateFilesApi::mount(http::Router& router) const {
    const std::string path(update_files_path);
    router.add(Method::get, path + "rootkeys.json",
               [&at = service](const Request&, const Captures&) { return send_root_keys(at); });
    router.add(Method::get, path + "{file}/{name}",
               [&at = service](const Request& request, const Captures& captures) {
                   return send_file(at, request, captures);
               });
}

}  // namespace mitral::cloud::api
