#include "cloud/api/attestation_body.hpp"

#include "cloud/error.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::api {
namespace {

using dps::Attestation;
using dps::Enrollment;
using dps::EnrollmentKind;

// Groups name who signs, individual entries name who comes.
const char* certificates_of(EnrollmentKind kind) {
    return kind == EnrollmentKind::group ? "signingCertificates" : "clientCertificates";
}

std::string certificate_in(const Json& certificates, std::string_view which) {
    const auto* holder = member(certificates, which);
    return holder != nullptr ? text_member(*holder, "certificate") : std::string();
}

void read_certificates(const Json& x509, Enrollment& enrollment) {
    if (const auto* certificates = member(x509, certificates_of(enrollment.kind))) {
        enrollment.primary_certificate = certificate_in(*certificates, "primary");
        enrollment.secondary_certificate = certificate_in(*certificates, "secondary");
    }
    if (const auto* references = member(x509, "caReferences")) {
        enrollment.primary_reference = text_member(*references, "primary");
        enrollment.secondary_reference = text_member(*references, "secondary");
    }
}

Json facts_json(const std::string& pem) {
    const auto facts = tls::read_certificate(pem);
    if (!facts)
        return nullptr;
    return {{"info",
             {{"subjectName", facts->subject},
              {"issuerName", facts->issuer},
              {"serialNumber", facts->serial},
              {"sha1Thumbprint", facts->sha1},
              {"sha256Thumbprint", facts->sha256},
              {"notBeforeUtc", base::to_iso8601(facts->not_before)},
              {"notAfterUtc", base::to_iso8601(facts->not_after)},
              {"version", 3}}}};
}

void add(Json& pair, const char* which, const Json& value, bool there) {
    if (there)
        pair[which] = value;
}

Json x509_json(const Enrollment& enrollment) {
    auto pair = Json::object();
    if (!enrollment.primary_reference.empty()) {
        pair["primary"] = enrollment.primary_reference;
        add(pair, "secondary", enrollment.secondary_reference,
            !enrollment.secondary_reference.empty());
        return {{"caReferences", pair}};
    }
    pair["primary"] = facts_json(enrollment.primary_certificate);
    add(pair, "secondary", facts_json(enrollment.secondary_certificate),
        !enrollment.secondary_certificate.empty());
    return {{certificates_of(enrollment.kind), pair}};
}

}  // namespace

base::Status read_attestation(const Json& body, Enrollment& enrollment) {
    const auto* attestation = member(body, "attestation");
    const auto type = attestation != nullptr ? text_member(*attestation, "type") : std::string();
    if (type == "symmetricKey") {
        if (const auto* keys = member(*attestation, "symmetricKey")) {
            enrollment.primary_key = text_member(*keys, "primaryKey");
            enrollment.secondary_key = text_member(*keys, "secondaryKey");
        }
        return {};
    }
    if (type == "tpm")
        return base::fail(CloudError::not_supported, "TPM attestation");
    if (type != "x509")
        return base::fail(CloudError::invalid_argument, "attestation is symmetricKey or x509");
    enrollment.attestation = Attestation::x509;
    if (const auto* x509 = member(*attestation, "x509"))
        read_certificates(*x509, enrollment);
    return {};
}

Json attestation_json(const Enrollment& enrollment) {
    if (enrollment.attestation == Attestation::x509)
        return {{"type", "x509"}, {"x509", x509_json(enrollment)}};
    return {{"type", "symmetricKey"},
            {"symmetricKey",
             {{"primaryKey", enrollment.primary_key}, {"secondaryKey", enrollment.secondary_key}}}};
}

}  // namespace mitral::cloud::api
