#include "bedside/answer.hpp"

namespace mitral::bedside {
namespace {

// Field `number` of a segment (0: its name), delimiters '|'.
std::string_view field(std::string_view segment, std::size_t number) {
    for (; number > 0; --number) {
        const auto bar = segment.find('|');
        if (bar == std::string_view::npos)
            return {};
        segment.remove_prefix(bar + 1);
    }
    return segment.substr(0, segment.find('|'));
}

AnswerKind kind_of(std::string_view code) {
    if (code == "AA" || code == "CA")
        return AnswerKind::accepted;
    if (code == "AE" || code == "CE")
        return AnswerKind::later;
    if (code == "AR" || code == "CR")
        return AnswerKind::never;
    return AnswerKind::other;
}

}  // namespace

Answer read_answer(std::string_view message) {
    Answer answer;
    while (!message.empty()) {
        const auto end = message.find_first_of("\r\n");
        const auto segment = message.substr(0, end);
        message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
        if (segment.starts_with("MSH") && field(segment, 8).starts_with("QRY")) {
            answer.kind = AnswerKind::query;
        } else if (segment.starts_with("MSA")) {
            answer.kind = kind_of(field(segment, 1));
            answer.control_id = field(segment, 2);
            answer.text = field(segment, 3);
        } else if (segment.starts_with("ERR") && answer.text.empty()) {
            answer.text = field(segment, 8);  // user message
        }
    }
    return answer;
}

std::optional<std::string> FrameReader::next() {
    const auto start = input_.find(frame_start);
    const auto end = input_.find(frame_end.front(), start == std::string::npos ? 0 : start);
    if (start == std::string::npos || end == std::string::npos)
        return std::nullopt;
    std::string content = input_.substr(start + 1, end - start - 1);
    input_.erase(0, end + 1);
    return content;
}

std::string framed(std::string_view message) {
    std::string frame(1, frame_start);
    return frame.append(message).append(frame_end);
}

}  // namespace mitral::bedside
