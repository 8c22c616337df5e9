// Stands in for inotify(7), whose instances take the kernel milliseconds to dismantle, six for each
// state: a watch that tells of a change when the test says there may have been one. The real one is
// proved by process_test.cpp.
#pragma once

namespace mitral::spool::test {

// Wakes the reader with this wake descriptor.
void tell_of_a_change(int wake_descriptor);

}  // namespace mitral::spool::test
