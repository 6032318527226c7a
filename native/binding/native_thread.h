#pragma once

#include <functional>

namespace trtnode {

// Runs `body`, which must not throw, on a thread of its own.
//
// Nobody joins it. A build may be in a phase without steps for minutes, and neither `worker.terminate()` nor
// the end of the process may wait for that. What makes leaving safe:
//  1. The thread holds shares of all it uses, and reaches JavaScript through a Dispatcher only, which drops
//  what comes
//     after the environment has ended.
//  2. The addon is linked with -z nodelete and TensorRT is never closed, so their code stays mapped when a
//  worker's
//     environment, which loaded them, goes.
//  3. When the process exits while such a thread runs, it ends there and then with its exit code, before
//  exit()
//     destroys TensorRT's globals beneath the thread, which crashes or hangs (see leaveBeforeTensorrt).
void startNativeThread(std::function<void()> body);

// Called when an environment is about to end. exit() works its list from the newest entry back, and TensorRT
// adds to that list while it builds; so what has to come first is put there last.
void leaveBeforeTensorrt();

}  // namespace trtnode
