// The program itself, over its socket.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/encoding.hpp"
#include "base/local_socket.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"
#include "vault/station.hpp"

namespace mitral::test {
namespace {

using vault::VaultError;

class Daemon : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto station = base::ed25519_public_key(station_key);
        write("/station.pub", base::to_base64(*station) + "\n");
        configure(std::to_string(getuid()));
        start();
    }
    void TearDown() override { stop(); }

    void configure(const std::string& user) {
        write("/mitral.toml", "[vault]\nsocket = \"" + socket + "\"\nstate = \"" + scratch.path() +
                                  "/state\"\nbackend = \"software\"\nstation_key = \"" +
                                  scratch.path() + "/station.pub\"\n[[vault.peer]]\nuser = \"" +
                                  user +
                                  "\"\nmay = [\"mint-hub\", \"mint-registration\", "
                                  "\"new-data-key\", \"open-data-key\", \"status\", "
                                  "\"begin-provisioning\", \"execute-order\", \"pseudonym\"]\n");
    }

    void write(const std::string& name, const std::string& text) {
        std::ofstream(scratch.path() + name) << text;
    }

    // Returns once the daemon says it is ready (the pipe stands for the service manager's log).
    void start() {
        int pipe_ends[2];
        ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)dup2(pipe_ends[1], STDERR_FILENO);
            // The leak sanitizer traces its own process, which the sandbox forbids.
            (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
            execl(MITRAL_BINARY_DIR "/bin/mitral-vault", "mitral-vault", "--config",
                  (scratch.path() + "/mitral.toml").c_str(), static_cast<char*>(nullptr));
            _exit(127);
        }
        close(pipe_ends[1]);
        log.reset(pipe_ends[0]);
        std::string text;
        char buffer[512];
        while (text.find("vault-ready") == std::string::npos) {
            const auto count = read(log.get(), buffer, sizeof buffer);
            ASSERT_GT(count, 0) << text;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        (void)fcntl(log.get(), F_SETFL, O_NONBLOCK);
        started_with = text;
    }

    void stop(int signal = SIGKILL) {
        if (pid <= 0)
            return;
        (void)kill(pid, signal);
        (void)waitpid(pid, &exit_status, 0);
        pid = -1;
    }

    [[nodiscard]] base::Status provision(vault::Client& client) {
        vault::StationRequest request{station_key,
                                      group_key,
                                      std::string(registration_id),
                                      standard_policy(),
                                      base::SystemClock().wall(),
                                      &subject_key};
        return vault::provision_unit(client, request);
    }

    // What the daemon wrote since it was ready.
    [[nodiscard]] std::string log_so_far() const {
        std::string text;
        char buffer[4096];
        for (ssize_t n = 0; (n = read(log.get(), buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(n));
        return text;
    }

    ScratchDirectory scratch;
    std::string socket = scratch.path() + "/vault.sock";
    base::Secret station_key = base::ed25519_new_key();
    base::Secret group_key{base::as_bytes("a group key that no gateway sees")};
    base::Secret subject_key{base::as_bytes("32 bytes of a hospital's own key")};
    pid_t pid = -1;
    int exit_status = 0;
    base::UniqueFd log;
    std::string started_with;
};

TEST_F(Daemon, ServesTheWholeLifeOfAUnit) {
    MITRAL_PROVES("T-KEY-02", "T-ID-01");
    auto client = vault::Client::connect(socket);
    ASSERT_TRUE(client) << client.error().message();
    EXPECT_NE(started_with.find("software-key-store"), std::string::npos);  // it says so loudly
    const auto provisioned = provision(**client);
    ASSERT_TRUE(provisioned) << provisioned.error().message();
    const auto token =
        (*client)->mint(vault::HubTokenRequest{std::string(hub), {}, base::Seconds(3600)});
    ASSERT_TRUE(token) << token.error().message();
    // The registry derives the same key from the group's, which the unit never saw.
    EXPECT_TRUE(is_signed_with(
        *token, base::hmac_sha256(group_key.view(), base::as_bytes(registration_id))));
    const auto key = (*client)->new_data_key();
    ASSERT_TRUE(key);
    const auto opened = (*client)->open_data_key(key->wrapped);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(base::equal_constant_time(opened->view(), key->key.view()));
    const auto mac =
        base::hmac_sha256(subject_key.view(),
                          base::as_bytes(std::string_view("mitral subject 1\0\0\4HOSP12345", 28)));
    const auto pseudonym = (*client)->pseudonym({"12345", "HOSP"});
    ASSERT_TRUE(pseudonym) << pseudonym.error().message();
    EXPECT_TRUE(std::equal(pseudonym->begin(), pseudonym->end(), mac.begin()));
    EXPECT_EQ(code_of((*client)->pseudonym({"", ""})), VaultError::malformed);
    EXPECT_EQ((*client)->status()->mint_count, 1U);
    EXPECT_EQ(
        code_of((*client)->mint(vault::HubTokenRequest{"evil.example", {}, base::Seconds(60)})),
        VaultError::not_listed);
}

TEST_F(Daemon, AClientSurvivesARestartOfTheDaemon) {
    auto client = vault::Client::connect(socket);
    ASSERT_TRUE(client);
    ASSERT_TRUE(provision(**client));
    stop();
    const auto away = (*client)->status();
    EXPECT_EQ(code_of(away), VaultError::vault_unavailable);
    EXPECT_NE(away.error().message().find(socket), std::string::npos);
    start();
    const auto status = (*client)->status();
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(status->state, vault::VaultState::ready);
}

TEST_F(Daemon, EndsCleanlyOnTerm) {
    stop(SIGTERM);
    EXPECT_TRUE(WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0);
}

TEST_F(Daemon, KeepsItsStateToItself) {
    MITRAL_PROVES("T-PHY-01", "T-SW-06");
    auto client = vault::Client::connect(socket);
    ASSERT_TRUE(provision(**client));
    struct stat status{};
    ASSERT_EQ(stat((scratch.path() + "/state").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    for (const char* name : {"/state/custody", "/state/root.key"}) {
        ASSERT_EQ(stat((scratch.path() + name).c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 07777, 0600U) << name;
    }
}

TEST_F(Daemon, GarbageAndSilentPeersDoNotDisturbOthers) {
    MITRAL_PROVES("T-SW-05", "T-DOS-04");
    auto client = vault::Client::connect(socket);
    std::vector<base::UniqueFd> silent;
    for (int i = 0; i < 40; ++i)
        if (auto fd = base::connect_seqpacket(socket, base::Milliseconds(1000)))
            silent.push_back(std::move(*fd));
    for (int i = 0; i < 50; ++i) {
        auto fd = base::connect_seqpacket(socket, base::Milliseconds(1000));
        ASSERT_TRUE(fd);
        base::Bytes noise(static_cast<std::size_t>(1 + i * 80));
        base::fill_random(noise);
        (void)base::send_datagram(fd->get(), noise);
    }
    EXPECT_TRUE((*client)->status());
}

TEST_F(Daemon, AStrangerIsTurnedAwayAtTheDoorAndCannotFloodTheLog) {
    MITRAL_PROVES("T-DOS-04", "T-LOG-02", "T-ID-03");
    stop();
    configure(std::to_string(getuid() + 1));
    start();
    std::vector<base::UniqueFd> kept;
    for (int i = 0; i < 2000; ++i) {
        auto fd = base::connect_seqpacket(socket, base::Milliseconds(5000));
        ASSERT_TRUE(fd);
        if (i < 100) {  // whether he asks or not, the answer is the same, then the end
            if (i % 2 == 0)
                (void)base::send_datagram(fd->get(), base::Bytes{1, 5});
            const auto answer = base::receive_datagram(fd->get());
            ASSERT_TRUE(answer) << answer.error().message();
            EXPECT_EQ(*answer, (base::Bytes{1, 1, 0, 0}));
            const auto end = base::receive_datagram(fd->get());
            EXPECT_TRUE(!end || end->empty());
        }
        if (i % 20 == 0)
            kept.push_back(std::move(*fd));
    }
    for (int i = 0; i < 20; ++i) {  // and a program of Mitral's is told what it is
        auto client = vault::Client::connect(socket);
        ASSERT_TRUE(client);
        EXPECT_EQ(code_of((*client)->status()), VaultError::refused);
    }
    const auto text = log_so_far();
    const auto told = text.find("vault-connection-refused");
    EXPECT_NE(told, std::string::npos) << text;
    EXPECT_EQ(text.find("vault-connection-refused", told + 1), std::string::npos) << text;
    EXPECT_EQ(text.find("vault-refused"), std::string::npos) << text;
}

}  // namespace
}  // namespace mitral::test
