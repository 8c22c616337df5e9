#include "spool/power_cut/disk_model.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "spool/support.hpp"

namespace mitral::spool::test {
namespace {

constexpr std::size_t sector = 512;
constexpr std::uint8_t garbage = 0xA7;

void copy(base::ByteView part, std::uint64_t offset, base::Bytes& into) {
    if (into.size() < offset + part.size())
        into.resize(offset + part.size());
    std::ranges::copy(part, into.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

std::size_t Image::hash() const {
    const auto mix = [](std::size_t sum, std::string_view text) {
        return (sum ^ std::hash<std::string_view>{}(text)) * 0x9E3779B97F4A7C15U + text.size();
    };
    std::size_t sum = 0;
    for (const auto& path : directories)
        sum = mix(sum, path);
    for (const auto& [path, content] : files)
        sum = mix(mix(sum, path), base::as_text(content));
    return sum;
}

void Image::put(const std::string& root) const {
    for (const auto& entry : std::filesystem::directory_iterator(root))
        std::filesystem::remove_all(entry.path());
    for (const auto& path : directories)
        std::filesystem::create_directory(root + "/" + path);
    for (const auto& [path, content] : files)
        set_file_content(root + "/" + path, content);
}

DiskModel::DiskModel(const Recording& recording, Lie lie) : recording_(recording), lie_(lie) {
    for (const auto& node : recording.before)
        nodes_.push_back({node, {}, {}});
}

void DiskModel::step() {
    using Kind = Operation::Kind;
    const auto& operation = recording_.operations[done_++];
    auto& state = nodes_[operation.node];
    switch (operation.kind) {
        case Kind::make_file:
        case Kind::make_directory:
            state.name_changes.push_back({"", operation.name, operation.child});
            nodes_.push_back({{.directory = operation.kind == Kind::make_directory}, {}, {}});
            break;
        case Kind::rename:
            state.name_changes.push_back({operation.name, operation.new_name, operation.child});
            break;
        case Kind::remove:
            state.name_changes.push_back({operation.name, "", 0});
            break;
        case Kind::write:
            state.changes.push_back({false, operation.offset, operation.content});
            break;
        case Kind::truncate:
            state.changes.push_back({true, operation.offset, {}});
            break;
        case Kind::sync:
            sync(state);
            break;
        case Kind::failed_sync:
            for (auto& change : state.changes)
                change.doubtful = !change.certain;
            break;
    }
}

void DiskModel::sync(State& state) const {
    if (lie_ == (state.durable.directory ? Lie::directories_unsynced : Lie::files_unsynced))
        return;
    for (const auto& change : state.name_changes) {
        if (!change.removed.empty())
            state.durable.names.erase(change.removed);
        if (!change.added.empty())
            state.durable.names[change.added] = change.child;
    }
    state.name_changes.clear();
    for (auto& change : state.changes)
        change.certain = !change.doubtful;
    auto next = state.changes.begin();
    for (; next != state.changes.end() && next->certain; ++next) {
        if (next->cut)
            state.durable.content.resize(next->offset);
        else
            copy(next->content, next->offset, state.durable.content);
    }
    state.changes.erase(state.changes.begin(), next);
}

// What some state shows; of the rest nobody will ever know.
std::vector<NodeId> DiskModel::reachable() const {
    std::vector<NodeId> found{0};
    std::vector<bool> seen(nodes_.size());
    const auto reach = [&](NodeId node) {
        if (node != 0 && !seen[node])
            found.push_back(node);
        seen[node] = true;
    };
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& state = nodes_[found[i]];
        for (const auto& [name, child] : state.durable.names)
            reach(child);
        for (const auto& change : state.name_changes)
            if (!change.added.empty())
                reach(change.child);
    }
    return found;
}

void DiskModel::add_parts(NodeId node, std::vector<Part>& parts) const {
    const auto& state = nodes_[node];
    for (std::size_t i = 0; i < state.name_changes.size(); ++i)
        parts.push_back({Part::Kind::name, node, i});
    bool may_grow = false;
    for (std::size_t i = 0; i < state.changes.size(); ++i) {
        const auto& change = state.changes[i];
        if (change.certain)
            continue;
        for (std::size_t at = 0; at < change.content.size();) {
            const auto within = (change.offset + at) % sector;
            const auto end = std::min(at + sector - within, change.content.size());
            parts.push_back({Part::Kind::sector, node, i, at, end});
            at = end;
        }
        const bool grows = change.offset + change.content.size() > state.durable.content.size();
        if (grows || change.cut)
            parts.push_back({Part::Kind::size, node, i});
        may_grow = may_grow || grows;
    }
    if (may_grow)
        parts.push_back({Part::Kind::garbage, node, 0});
}

std::vector<DiskModel::Part> DiskModel::parts() const {
    std::vector<Part> parts;
    for (const auto node : reachable())
        add_parts(node, parts);
    return parts;
}

base::Bytes DiskModel::content(NodeId node, const std::vector<Part>& parts,
                               const Choice& choice) const {
    const auto& state = nodes_[node];
    std::size_t size = state.durable.content.size();
    base::Bytes content = state.durable.content;
    std::vector<bool> written(content.size(), true);
    const auto write = [&](const Change& change, std::size_t begin, std::size_t end) {
        copy(base::ByteView(change.content).subspan(begin, end - begin), change.offset + begin,
             content);
        written.resize(std::max(written.size(), content.size()));
        std::fill_n(written.begin() + static_cast<std::ptrdiff_t>(change.offset + begin),
                    end - begin, true);
    };
    const auto resize = [&](const Change& change) {
        const std::size_t end = change.offset + change.content.size();
        size = change.cut ? end : std::max(size, end);
        if (!change.cut)
            return;
        content.resize(std::min(content.size(), end));
        written.resize(content.size());
    };
    bool filled_with_garbage = false;
    for (std::size_t i = 0; i < state.changes.size(); ++i) {
        const auto& change = state.changes[i];
        if (change.certain) {
            write(change, 0, change.content.size());
            resize(change);
        }
        for (std::size_t part = 0; part < parts.size(); ++part) {
            if (parts[part].node != node || !choice[part])
                continue;
            if (parts[part].kind == Part::Kind::garbage)
                filled_with_garbage = true;
            else if (parts[part].change == i && parts[part].kind == Part::Kind::sector)
                write(change, parts[part].begin, parts[part].end);
            else if (parts[part].change == i && parts[part].kind == Part::Kind::size)
                resize(change);
        }
    }
    content.resize(size);
    written.resize(size);
    for (std::size_t i = 0; filled_with_garbage && i < size; ++i)
        if (!written[i])
            content[i] = garbage;
    return content;
}

Image DiskModel::image(const std::vector<Part>& parts, const Choice& choice) const {
    Image image;
    struct Place {
        NodeId node;
        std::string path;
    };
    std::vector<Place> places{{0, ""}};
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto [node, path] = places[i];
        auto names = nodes_[node].durable.names;
        for (std::size_t part = 0; part < parts.size(); ++part) {
            if (parts[part].node != node || parts[part].kind != Part::Kind::name || !choice[part])
                continue;
            const auto& change = nodes_[node].name_changes[parts[part].change];
            names.erase(change.removed);
            if (!change.added.empty())
                names[change.added] = change.child;
        }
        for (const auto& [name, child] : names) {
            const auto below = path.empty() ? name : path + "/" + name;
            if (!nodes_[child].durable.directory) {
                image.files[below] = content(child, parts, choice);
                continue;
            }
            image.directories.push_back(below);
            places.push_back({child, below});
        }
    }
    return image;
}

void DiskModel::each_legal_state(const Depth& depth, std::mt19937_64& random,
                                 const Visit& visit) const {
    const auto parts = this->parts();
    const auto count = parts.size();
    const auto show = [&](const Choice& choice) {
        std::string which;
        for (const bool there : choice)
            which.push_back(there ? '1' : '0');
        visit(image(parts, choice), which);
    };
    if (count <= depth.exhaustive) {
        for (std::uint64_t bits = 0; bits < 1ULL << count; ++bits) {
            Choice choice(count);
            for (std::size_t i = 0; i < count; ++i)
                choice[i] = (bits >> i & 1U) != 0;
            show(choice);
        }
        return;
    }
    for (std::size_t i = 0; i <= count; ++i) {  // by age
        Choice choice(count);
        std::fill_n(choice.begin(), i, true);
        show(choice);
    }
    for (std::size_t i = 0; i < count; ++i) {
        Choice alone(count);
        alone[i] = true;
        show(alone);
        alone.flip();
        show(alone);
    }
    for (std::uint32_t i = 0; i < depth.samples; ++i) {
        Choice choice(count);
        const auto quarters = 1 + i % 3;  // a quarter, a half or three quarters of the parts
        for (std::size_t part = 0; part < count; ++part)
            choice[part] = random() % 4 < quarters;
        show(choice);
    }
}

}  // namespace mitral::spool::test
