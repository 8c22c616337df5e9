// Certificates made at run time: the repository holds no key.
#pragma once

#include <memory>
#include <string>

namespace mitral::test {

struct CertificateRequest {
    std::string dns_name = "localhost";
    std::string ip_address{};  // an iPAddress entry beside the name
    int valid_from_days = -1;  // relative to now
    int valid_until_days = 30;
};

// An authority with an ECDSA P-256 key. Methods write PEM files and throw on failure (tests only).
class CertificateAuthority {
  public:
    explicit CertificateAuthority(const std::string& name);
    CertificateAuthority(CertificateAuthority&&) noexcept;
    ~CertificateAuthority();

    void write_certificate(const std::string& file) const;
    void issue(const CertificateRequest& request, const std::string& certificate_file,
               const std::string& key_file) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// A server certificate that signs itself.
void write_self_signed(const CertificateRequest& request, const std::string& certificate_file,
                       const std::string& key_file);

}  // namespace mitral::test
