#include "mitral/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/crypto.hpp"
#include "base/process.hpp"
#include "enrol/errors.hpp"
#include "enrol/registration.hpp"
#include "mitral/hub_check.hpp"
#include "mitral/local_checks.hpp"
#include "mitral/route.hpp"
#include "mitral/settings.hpp"
#include "mitral/tpm_probe.hpp"
#include "mitral/uplink_view.hpp"
#include "mitral/vault_checks.hpp"

namespace mitral::cli {
namespace {

class Examination {
  public:
    Examination(const DoctorOptions& options, const Instruments& instruments)
        : options_(options), with_(instruments) {}

    std::vector<Finding> run() {
        layer("configuration", {}, [this] { return configuration(); });
        layer("permissions", {"configuration"},
              [this] { return check_permissions(settings_, options_.config_file); });
        layer("disk", {"configuration"}, [this] { return check_disk(settings_); });
        layer("clock", {}, [this] { return check_clock(with_.clock); });
        layer("vault", {"configuration"}, [this] { return vault(); });
        layer("trust-zone", {"vault"}, [this] { return trust_zone(); });
        layer("provisioning", {"trust-zone"}, [this] { return judge_provisioning(*answer_); });
        layer("dns", {"configuration"}, [this] { return dns(); });
        layer("tcp", {"dns"}, [this] { return step(Route::Step::tcp); });
        layer("tls", {"tcp"}, [this] { return step(Route::Step::tls); });
        layer("token", {"provisioning"}, [this] { return token(); });
        layer("dps", {"token", "tls"}, [this] { return dps(); });
        layer("hub", {"token", "tls"}, [this] { return hub(); });
        return std::move(findings_);
    }

  private:
    template <typename Check>
    void layer(const char* name, std::initializer_list<std::string_view> needs, Check check) {
        Finding finding;
        if (const auto missing = missing_ground(needs); !missing.empty())
            finding = skip(fmt::format("needs {}", missing));
        else
            finding = check();
        finding.layer = name;
        findings_.push_back(std::move(finding));
    }

    // A layer that was skipped for a reason of its own (no right, no table) does not take others
    // along.
    std::string_view missing_ground(std::initializer_list<std::string_view> needs) const {
        for (const auto need : needs) {
            const auto found = std::ranges::find(findings_, need, &Finding::layer);
            const bool stands =
                found->verdict == Verdict::ok || found->verdict == Verdict::warning ||
                (found->verdict == Verdict::skipped && !found->text.starts_with("needs "));
            if (!stands)
                return need;
        }
        return {};
    }

    Finding configuration() {
        auto config = base::Config::load(options_.config_file);
        if (!config)
            return fault(config.error().message(),
                         "correct it (docs/configuration.md), or name another with --config");
        auto settings = read_unit_settings(*config);
        if (!settings)
            return fault(settings.error().message(),
                         "correct it; docs/configuration.md lists every key");
        settings_ = *std::move(settings);
        return good(options_.config_file);
    }

    Finding vault() {
        auto client = with_.connect_vault(vault_socket_of(settings_), "");
        if (!client)
            return silent_vault(client.error());
        answer_ = (*client)->status();
        return judge_vault(*answer_);
    }

    // A vault without its TPM does not start: then the TPM is what fails, not the daemon.
    Finding silent_vault(const base::Error& error) {
        if (settings_.vault && settings_.vault->backend == "tpm")
            if (auto there = probe_tpm(tcti(), options_.timeout); !there) {
                tpm_error_ = std::move(there).error();
                return skip("mitral-vault does not answer, for its TPM is not there");
            }
        return vault_fault(error);
    }
    Finding trust_zone() const {
        return tpm_error_ ? trust_zone_fault(*tpm_error_, tcti())
                          : judge_trust_zone(answer_, tcti());
    }
    [[nodiscard]] std::string tcti() const { return settings_.vault ? settings_.vault->tcti : ""; }

    Finding dns() {
        collect_routes();
        return step(Route::Step::name);
    }

    void collect_routes() {
        if (settings_.enrol) {
            add_dps_route(*settings_.enrol);
        }
        if (auto request = hub_route())
            add_route(*std::move(request), settings_.uplink->trust);
    }

    void add_dps_route(const enrol::Settings& enrol) {
        net::TlsClientOptions tls;
        tls.minimum = enrol.minimum_tls;
        add_route({"DPS", enrol.dps, enrol.proxy, std::move(tls), options_.timeout}, enrol.trust);
    }

    // Roots that cannot be used break this route at TLS; name and TCP are tried all the same.
    void add_route(RouteRequest request, const net::TrustSettings& trust) {
        auto roots = net::pinned_roots(trust);
        if (roots)
            request.tls.roots_pem = *roots;
        auto route = try_route(std::move(request));
        if (!roots && (!route.broken || route.broken == Route::Step::tls)) {
            route.broken = Route::Step::tls;
            route.error = std::move(roots).error();
        }
        routes_.push_back(std::move(route));
    }

    std::optional<RouteRequest> hub_route() {
        if (!settings_.uplink)
            return std::nullopt;
        const auto& uplink = *settings_.uplink;
        assignment_ = uplink::read_assignment(uplink.assignment_file, uplink.hub_port);
        if (!*assignment_)
            return std::nullopt;
        return RouteRequest{"hub",
                            {(*assignment_)->host, uplink.hub_port},
                            uplink.proxy,
                            uplink.tls,
                            options_.timeout};
    }

    Finding step(Route::Step which) const {
        if (routes_.empty())
            return skip(settings_.enrol || settings_.uplink
                            ? "no server to reach: the hub is not known yet"
                            : "neither [enrol] nor [uplink] is configured");
        std::string seen;
        for (const auto& route : routes_) {
            const auto& server = route.request.server;
            if (route.broken == which)
                return fault(fmt::format("{}: {}", route.request.purpose, route.error->message()),
                             remedy_for(*route.error, route.request));
            seen += fmt::format("{}{} {}", seen.empty() ? "" : ", ", route.request.purpose,
                                which == Route::Step::tls
                                    ? route.tls_version
                                    : fmt::format("{}:{}", server.host, server.port));
        }
        return good(seen);
    }

    Finding token() {
        if (!settings_.enrol && !settings_.uplink)
            return skip("neither [enrol] nor [uplink] is configured");
        std::vector<Finding> parts;
        if (settings_.enrol)
            parts.push_back(registration_token());
        if (settings_.uplink && assignment_ && *assignment_)
            parts.push_back(hub_token());
        for (const auto verdict : {Verdict::failed, Verdict::skipped}) {
            const auto found = std::ranges::find(parts, verdict, &Finding::verdict);
            if (found != parts.end())
                return *found;
        }
        return good(parts.size() == 2 ? "minted for DPS and hub" : "minted");
    }

    Finding registration_token() {
        const auto& enrol = *settings_.enrol;
        const auto client = with_.connect_vault(enrol.vault_socket, enrol.user);
        if (!client)
            return judge_mint_failure(client.error(), "registration", enrol.user);
        const auto minted = (*client)->mint(vault::RegistrationTokenRequest{brief});
        return minted ? good("") : judge_mint_failure(minted.error(), "registration", enrol.user);
    }

    Finding hub_token() {
        const auto& uplink = *settings_.uplink;
        auto client = with_.connect_vault(uplink.vault_socket, uplink.user);
        if (!client)
            return judge_mint_failure(client.error(), "hub", uplink.user);
        auto minted = (*client)->mint(vault::HubTokenRequest{(*assignment_)->hub, {}, brief});
        if (!minted)
            return judge_mint_failure(minted.error(), "hub " + (*assignment_)->hub, uplink.user);
        hub_token_ = *std::move(minted);
        return good("");
    }

    Finding dps() {
        if (!settings_.enrol)
            return skip("[enrol] is not configured");
        const auto& enrol = *settings_.enrol;
        const auto client = with_.connect_vault(enrol.vault_socket, enrol.user);
        if (!client)
            return skip(client.error().message());
        if (const auto same = enrol::check_server(**answer_, enrol.dps); !same)
            return fault(same.error().message(), "");
        auto https = with_.make_https(https_options(enrol));
        if (!https)
            return fault(https.error().message(), "install libcurl4");
        return judge_registration(**https, **client);
    }

    enrol::HttpsOptions https_options(const enrol::Settings& enrol) const {
        enrol::HttpsOptions options;
        options.server = enrol.dps;
        options.proxy = enrol.proxy;
        options.minimum_tls = enrol.minimum_tls;
        for (const auto& pem : routes_.front().request.tls.roots_pem)
            options.roots_pem.append(pem).append("\n");
        options.connect_timeout = options.timeout = options_.timeout;
        options.user_agent = "mitral-doctor";
        return options;
    }

    // Units register at every start; DPS answers with the hub it assigned before, unless the fleet
    // moved.
    Finding judge_registration(enrol::Https& https, vault::Client& client) {
        enrol::RegistrationOptions options;
        options.give_up_after = 3 * options_.timeout;
        options.token_lifetime = brief;
        const enrol::Surroundings surroundings{
            https, client, with_.clock,
            [](base::Milliseconds wait) { ::usleep(static_cast<useconds_t>(wait.count() * 1000)); },
            base::random_u64};
        const auto outcome = enrol::register_unit(surroundings, options);
        if (!outcome && outcome.error().code == vault_refusal())
            return skip(fmt::format("run as root or as {} to ask", settings_.enrol->user));
        if (!outcome)
            return fault(outcome.error().message(), "");
        if (!assignment_ || !*assignment_)
            return warn(fmt::format("registered, hub {}; but the uplink does not know it yet",
                                    outcome->hub),
                        "run mitral-enrol");
        if ((*assignment_)->hub != outcome->hub)
            return warn(fmt::format("DPS now says {}, the uplink uses {}", outcome->hub,
                                    (*assignment_)->hub),
                        "run mitral-enrol, then restart mitral-uplink");
        return good(fmt::format("registered, hub {}", outcome->hub));
    }

    Finding hub() {
        if (!settings_.uplink)
            return skip("[uplink] is not configured");
        if (!*assignment_)
            return fault(assignment_->error().message(), "run mitral-enrol");
        if (const auto view = read_uplink_view(settings_.uplink->status_file);
            view && view->connected && is_recent(view->updated))
            return good(
                fmt::format("the uplink is connected to {}, {} queued", view->hub, view->queued));
        if (!hub_token_)
            return skip("without a token for the hub");
        const auto& route = *std::ranges::find(
            routes_, "hub", [](const Route& known) { return known.request.purpose; });
        if (const auto accepted =
                try_hub(route.request, **assignment_, hub_token_->text, with_.clock);
            !accepted)
            return fault(accepted.error().message(), "");
        return good(fmt::format("{} accepts this device", (*assignment_)->hub));
    }

    [[nodiscard]] bool is_recent(base::WallTime when) const {
        constexpr std::int64_t limit_ms = 120'000;  // the uplink writes at every ping at the latest
        return with_.clock.wall().ms - when.ms < limit_ms;
    }

    static constexpr base::Seconds brief{120};

    const DoctorOptions& options_;
    const Instruments& with_;
    std::vector<Finding> findings_;
    UnitSettings settings_;
    std::optional<base::Result<vault::VaultStatus>> answer_;
    std::optional<base::Error> tpm_error_;
    std::optional<base::Result<uplink::Assignment>> assignment_;
    std::vector<Route> routes_;
    std::optional<vault::Token> hub_token_;
};

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options, const Instruments& instruments) {
    return Examination(options, instruments).run();
}

}  // namespace mitral::cli
