#include "mitral/verify.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "vault/evidence_client.hpp"

namespace mitral::cli {
namespace {

constexpr std::size_t max_file = 64 * 1024 * 1024;

base::Result<attest::Nonce> nonce_of(const std::string& hex) {
    attest::Nonce nonce{};
    const auto bytes = base::from_hex(hex);
    if (!bytes || bytes->size() != nonce.size())
        return base::fail(base::BaseError::invalid_setting,
                          "a nonce is 64 hex digits: openssl rand -hex 32");
    std::copy(bytes->begin(), bytes->end(), nonce.begin());
    return nonce;
}

// Two verifiers of one unit would undo each other's marks. Beside the file, which is replaced.
base::Result<base::UniqueFd> lock_marks(const std::string& marks_file) {
    const auto path = marks_file + ".lock";
    MITRAL_TRY(auto lock, base::open_file(path, O_RDWR | O_CREAT, 0600));
    if (flock(lock.get(), LOCK_EX) != 0)
        return base::fail_errno(path);
    return lock;
}

// Lines that are no base64 are evidence too: of the wrong kind.
base::Bytes decoded(std::string_view line) {
    return base::from_base64(line).value_or(base::Bytes{});
}

void append_evidence(std::vector<base::Bytes>& all, std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        if (!line.empty())
            all.push_back(decoded(line));
    }
}

void add(std::vector<verify::Finding>& all, std::vector<verify::Finding> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

// A nonce has one answer: none is as bad as a wrong one.
std::vector<verify::Finding> judge_answer(verify::Marks& marks,
                                          const std::vector<base::Bytes>& evidence,
                                          const attest::Nonce& nonce) {
    if (evidence.empty())
        return {{verify::Kind::silent, "no attestation came",
                 "ask again with a new nonce; a unit that does not answer is unproven"}};
    if (evidence.size() > 1)
        return {
            {verify::Kind::malformed,
             std::to_string(evidence.size()) + " lines came where one attestation was asked for",
             "judge each answer with the nonce it was asked with"}};
    return verify::judge_attestation(marks, evidence.front(), nonce);
}

}  // namespace

base::Result<std::vector<verify::Finding>> verify_evidence(const VerifyArguments& arguments,
                                                           std::int64_t now_s) {
    MITRAL_TRY(const auto lock, lock_marks(arguments.marks_file));
    MITRAL_TRY(auto marks, verify::load(arguments.marks_file));
    attest::Nonce nonce{};
    if (!arguments.nonce.empty()) {
        MITRAL_TRY(nonce, nonce_of(arguments.nonce));
    }
    std::vector<base::Bytes> evidence;
    for (const auto& file : arguments.evidence_files) {
        MITRAL_TRY(const auto text, base::read_text_file(file, max_file));
        append_evidence(evidence, text);
    }
    std::vector<verify::Finding> findings;
    if (arguments.max_silence_s > 0)  // before the evidence ends the silence
        add(findings, verify::judge_silence(marks, arguments.max_silence_s, now_s));
    if (!arguments.nonce.empty())
        add(findings, judge_answer(marks, evidence, nonce));
    else
        for (const auto& checkpoint : evidence)
            add(findings, verify::judge_checkpoint(marks, checkpoint, now_s));
    MITRAL_CHECK(verify::save(arguments.marks_file, marks));
    return findings;
}

base::Status record_unit(const VerifyArguments& arguments, std::int64_t now_s) {
    MITRAL_TRY(const auto lock, lock_marks(arguments.marks_file));
    if (access(arguments.marks_file.c_str(), F_OK) == 0)
        return base::fail(base::BaseError::invalid_setting,
                          arguments.marks_file +
                              " is there: marks that are replaced forget every roll-back; move it "
                              "away if the unit was given a new trust zone");
    if (arguments.evidence_files.size() != 1)
        return base::fail(base::BaseError::invalid_setting,
                          "a unit is taken up by one attestation: name its file");
    MITRAL_TRY(const auto nonce, nonce_of(arguments.nonce));
    MITRAL_TRY(auto text, base::read_text_file(arguments.evidence_files.front(), max_file));
    text.erase(text.find_last_not_of(" \r\n") + 1);
    MITRAL_TRY(const auto attestation, attest::read_first_attestation(decoded(text), nonce));
    if (attestation.state.doubtful)
        return base::fail(base::BaseError::invalid_setting,
                          "the trust zone refused what it had stored: put that right, then take "
                          "the unit up");
    return verify::save(arguments.marks_file, verify::first_marks(attestation.state, now_s));
}

base::Result<std::string> attest_unit(const std::string& vault_socket, const std::string& hex) {
    attest::Nonce nonce{};
    base::fill_random(nonce);
    if (!hex.empty()) {
        MITRAL_TRY(nonce, nonce_of(hex));
    }
    MITRAL_TRY(const auto vault, vault::EvidenceClient::connect(vault_socket));
    MITRAL_TRY(const auto evidence, vault->attest(nonce));
    return base::to_base64(evidence) + "\n";
}

}  // namespace mitral::cli
