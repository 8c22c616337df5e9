// Every stand-in carries this text, so that a test can prove that no program of the gateway holds
// one (tests/bench/bench_plain.py).
#pragma once

namespace mitral::bench {

[[gnu::used]] inline constexpr char marker[] = "mitral bench stand-in: unprotected";

}  // namespace mitral::bench
