// Processes of their own for canary_test.py: the station, which rightly holds the group key, and a
// client of the vault.
//   canary_station provision SOCKET STATION_KEY_FILE GROUP_KEY_FILE SUBJECT_KEY_FILE   (raw keys)
//   canary_station name SOCKET PATIENT        prints one pseudonym
//   canary_station wipe SOCKET STATION_KEY_FILE
//   canary_station exercise SOCKET COUNT      prints what it got as JSON lines, for an independent
//   check
#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "vault/client.hpp"
#include "vault/station.hpp"

namespace {

using namespace mitral;

// The trust zone of a board that is emulated is slow.
constexpr base::Seconds patience{120};

base::Status provision(vault::Client& client, const char* station_file, const char* group_file,
                       const char* subject_file) {
    MITRAL_TRY(const auto station_key, base::read_secret_file(station_file, 64));
    MITRAL_TRY(const auto group_key, base::read_secret_file(group_file, 64));
    MITRAL_TRY(const auto subject_key, base::read_secret_file(subject_file, 64));
    vault::Policy policy;
    policy.id_scope = "0ne000A0A0A";
    policy.dps_host = "localhost:38443";
    policy.hubs = {"localhost:38883"};
    policy.modules = {"DeviceUpdate"};
    policy.max_lifetime_s = 3600;
    policy.allowance_s = 86400;
    return vault::provision_unit(client, {station_key, group_key, "canary-unit", policy,
                                          base::SystemClock().wall(), &subject_key});
}

base::Status wipe(vault::Client& client, const char* station_file) {
    MITRAL_TRY(const auto station_key, base::read_secret_file(station_file, 64));
    vault::Order order;
    order.kind = vault::OrderKind::wipe;
    order.registration_id = "canary-unit";
    order.counter = vault::order_counter(base::SystemClock().wall());
    MITRAL_TRY(const auto signed_order, vault::sign_order(order, station_key));
    return client.execute(signed_order);
}

void print_token(const vault::Token& token) {
    std::printf("{\"token\":\"%s\"}\n", std::string(base::as_text(token.text.view())).c_str());
}

base::Status name(vault::Client& client, const std::string& patient) {
    MITRAL_TRY(const auto pseudonym, client.pseudonym({patient, "HOSP"}));
    std::printf("{\"patient\":\"%s\",\"pseudonym\":\"%s\"}\n", patient.c_str(),
                base::to_hex(pseudonym).c_str());
    return {};
}

base::Status exercise(vault::Client& client, int count) {
    for (int i = 0; i < count; ++i) {
        MITRAL_CHECK(name(client, "patient-" + std::to_string(i)));
        MITRAL_TRY(const auto device,
                   client.mint(vault::HubTokenRequest{"localhost:38883", {}, base::Seconds(600)}));
        print_token(device);
        MITRAL_TRY(const auto module, client.mint(vault::HubTokenRequest{
                                          "localhost:38883", "DeviceUpdate", base::Seconds(600)}));
        print_token(module);
        MITRAL_TRY(const auto registration,
                   client.mint(vault::RegistrationTokenRequest{base::Seconds(600)}));
        print_token(registration);
        MITRAL_TRY(const auto key, client.new_data_key());
        MITRAL_TRY(const auto opened, client.open_data_key(key.wrapped));
        const bool same = base::equal_constant_time(key.key.view(), opened.view());
        std::printf("{\"data_key\":\"%s\",\"opens\":%s}\n", base::to_hex(key.key.view()).c_str(),
                    same ? "true" : "false");
    }
    return {};
}

base::Status run(int argc, char** argv) {
    MITRAL_TRY(auto client, vault::Client::connect(argv[2], patience));
    if (std::string(argv[1]) == "provision" && argc == 6)
        return provision(*client, argv[3], argv[4], argv[5]);
    if (std::string(argv[1]) == "wipe")
        return wipe(*client, argv[3]);
    if (std::string(argv[1]) == "name")
        return name(*client, argv[3]);
    return exercise(*client, std::stoi(argv[3]));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4)
        return 2;
    if (auto status = run(argc, argv); !status) {
        std::fprintf(stderr, "%s\n", status.error().message().c_str());
        return 1;
    }
    return 0;
}
