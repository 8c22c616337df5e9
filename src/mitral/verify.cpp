#include "mitral/verify.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "mitral/verify_log.hpp"
#include "vault/evidence_client.hpp"

namespace mitral::cli {
namespace {

constexpr std::size_t max_file = 256 * 1024 * 1024;
constexpr std::int64_t log_clock_ahead_s = 300;  // the hub's clock, of the verifier's

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

// A nonce has one answer: none is as bad as a wrong one.
std::vector<verify::Finding> judge_answer(verify::Marks& marks,
                                          const std::vector<base::Bytes>& evidence,
                                          const attest::Nonce& nonce,
                                          const verify::Demands& demands) {
    if (evidence.empty())
        return {{verify::Kind::silent, "no attestation came",
                 "ask again with a new nonce; a unit that does not answer is unproven"}};
    if (evidence.size() > 1)
        return {
            {verify::Kind::malformed,
             std::to_string(evidence.size()) + " lines came where one attestation was asked for",
             "judge each answer with the nonce it was asked with"}};
    return verify::judge_attestation(marks, evidence.front(), nonce, demands);
}

// One judgement of one unit.
class Judgement {
  public:
    Judgement(const VerifyArguments& arguments, verify::Marks& marks, const Tell& tell)
        : arguments_(arguments), marks_(marks), tell_(tell) {}

    void add(const std::vector<verify::Finding>& findings) {
        count_ += findings.size();
        std::for_each(findings.begin(), findings.end(), tell_);
    }
    // nullopt: told. What the other files hold is judged all the same.
    std::optional<std::string> read(const std::string& file) {
        auto text = base::read_text_file(file, max_file);
        if (text)
            return *std::move(text);
        add({{verify::Kind::malformed, file + " cannot be read: " + text.error().message(),
              "what it holds was not judged: name it again"}});
        return std::nullopt;
    }
    void judge_silence(std::int64_t now_s) {
        if (arguments_.max_silence_s > 0)
            add(verify::judge_silence(marks_, arguments_.max_silence_s, now_s));
    }
    void judge_checkpoints(const std::vector<base::Bytes>& evidence, std::int64_t now_s) {
        for (const auto& checkpoint : evidence)
            add(verify::judge_checkpoint(marks_, checkpoint, now_s, arguments_.demands));
    }
    void judge_log(const std::vector<LogMessage>& messages, std::int64_t now_s);
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    void judge_message(const LogMessage& message, const verify::Arrivals& arrivals,
                       std::int64_t now_s);
    [[nodiscard]] std::int64_t time_of(const LogMessage& message, std::int64_t now_s);

    const VerifyArguments& arguments_;
    verify::Marks& marks_;
    const Tell& tell_;
    std::size_t count_ = 0;
};

// Nobody signs the log's times: one ahead of now would end a silence before it begins.
std::int64_t Judgement::time_of(const LogMessage& message, std::int64_t now_s) {
    if (message.at_s > 0 && message.at_s <= now_s + log_clock_ahead_s)
        return std::min(message.at_s, now_s);
    add({{verify::Kind::malformed, "the log has no time of a checkpoint's arrival that can be",
          "look at what carries the log, and at the clocks of the hub and of this verifier"}});
    return now_s;
}

// Messages arrive at least once: one that comes again says nothing new.
void Judgement::judge_message(const LogMessage& message, const verify::Arrivals& arrivals,
                              std::int64_t now_s) {
    const auto evidence = read_evidence(message.body);
    if (!verify::was_taken(marks_, evidence.checkpoint))
        add(verify::judge_checkpoint(marks_, evidence.checkpoint, time_of(message, now_s),
                                     arguments_.demands));
    if (verify::claim_lists(marks_, evidence.checkpoint))
        add(verify::judge_lists(marks_, evidence.checkpoint, evidence.lists, arrivals));
}

// Readings that go on without checkpoints are the silence that counts here, by the hub's clock.
void Judgement::judge_log(const std::vector<LogMessage>& messages, std::int64_t now_s) {
    verify::Arrivals arrivals;
    for (const auto& message : messages)
        arrivals.add(message.id, message.body);
    std::int64_t told_of = -1;
    for (const auto& message : messages) {
        if (message.id.empty())
            add({{verify::Kind::malformed, "a line of the log is no message",
                  "look at what carries the log"}});
        else if (message.evidence)
            judge_message(message, arrivals, now_s);
        else if (told_of != marks_.heard_s) {
            const auto before = count_;
            judge_silence(message.at_s);
            told_of = count_ > before ? marks_.heard_s : told_of;
        }
    }
    if (told_of != marks_.heard_s)
        judge_silence(now_s);  // a log without anything in it is a silence too
}

std::vector<base::Bytes> evidence_of(const VerifyArguments& arguments, Judgement& judgement) {
    std::vector<base::Bytes> evidence;
    for (const auto& file : arguments.evidence_files)
        if (const auto text = judgement.read(file))
            append_evidence(evidence, *text);
    return evidence;
}

}  // namespace

base::Result<std::size_t> verify_evidence(const VerifyArguments& arguments, std::int64_t now_s,
                                          const Tell& tell) {
    MITRAL_TRY(const auto lock, lock_marks(arguments.marks_file));
    MITRAL_TRY(auto marks, verify::load(arguments.marks_file));
    attest::Nonce nonce{};
    if (!arguments.nonce.empty()) {
        MITRAL_TRY(nonce, nonce_of(arguments.nonce));
    }
    Judgement judgement(arguments, marks, tell);
    const auto evidence = evidence_of(arguments, judgement);
    if (arguments.log_files.empty())
        judgement.judge_silence(now_s);  // before the evidence ends the silence
    if (!arguments.nonce.empty())
        judgement.add(judge_answer(marks, evidence, nonce, arguments.demands));
    else
        judgement.judge_checkpoints(evidence, now_s);
    std::string log;
    for (const auto& file : arguments.log_files)
        log.append(judgement.read(file).value_or("")).push_back('\n');
    if (!arguments.log_files.empty())
        judgement.judge_log(
            read_log(log, arguments.device.empty() ? marks.registration_id : arguments.device),
            now_s);
    MITRAL_CHECK(verify::save(arguments.marks_file, marks));
    return judgement.count();
}

base::Status check_no_marks(const std::string& marks_file) {
    if (access(marks_file.c_str(), F_OK) == 0)
        return base::fail(base::BaseError::invalid_setting,
                          marks_file +
                              " is there: marks that are replaced forget every roll-back; move it "
                              "away if the unit was given a new trust zone");
    return {};
}

base::Status record_unit(const VerifyArguments& arguments, std::int64_t now_s) {
    MITRAL_TRY(const auto lock, lock_marks(arguments.marks_file));
    MITRAL_CHECK(check_no_marks(arguments.marks_file));
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

base::Status record_provisioned(const std::string& vault_socket, const std::string& registration_id,
                                const std::string& marks_file, std::int64_t now_s) {
    MITRAL_TRY(const auto lock, lock_marks(marks_file));
    MITRAL_CHECK(check_no_marks(marks_file));
    attest::Nonce nonce{};
    base::fill_random(nonce);
    MITRAL_TRY(const auto vault, vault::EvidenceClient::connect(vault_socket));
    MITRAL_TRY(const auto evidence, vault->attest(nonce));
    MITRAL_TRY(const auto attestation, attest::read_first_attestation(evidence, nonce));
    const auto& state = attestation.state;
    if (state.doubtful || state.custody != attest::Custody::ready ||
        state.registration_id != registration_id)
        return base::fail(base::BaseError::not_authentic,
                          "the unit says that it is " + std::string(to_string(state.custody)) +
                              " as '" + state.registration_id + "': not what it was given");
    return verify::save(marks_file, verify::first_marks(state, now_s));
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
