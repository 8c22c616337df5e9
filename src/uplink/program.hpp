// The parts of main that deserve a test: what the process may reach, and where the lanes come from.
#pragma once

#include "base/sandbox.hpp"
#include "spool/keys.hpp"
#include "uplink/settings.hpp"
#include "uplink/uplink.hpp"

namespace mitral::uplink {

// Reads spools and the assignment, writes its own state and status, connects to the hub's port (or
// the proxy's) and to DNS, and nothing else.
[[nodiscard]] base::SandboxPolicy sandbox_policy(const Settings& settings);

// The TLS client that the settings ask for, with the roots that their trust leads to. To be called
// before the sandbox closes; errors are those of net::pinned_roots and net::TlsContext::client.
[[nodiscard]] base::Result<net::TlsContext> tls_context(const Settings& settings);

// A feed for each lane of each spool. `keys` outlives the uplink.
void add_spools(Uplink& uplink, const Settings& settings, spool::KeyOpener& keys);

}  // namespace mitral::uplink
