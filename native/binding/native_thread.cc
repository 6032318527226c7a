#include "binding/native_thread.h"

#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

namespace trtnode {
namespace {

std::atomic<int>& runningThreads() {
  static std::atomic<int>& count = *new std::atomic<int>(0);
  return count;
}

void leaveIfThreadsRun(int status, void*) {
  if (runningThreads().load() > 0) _exit(status);
}

}  // namespace

void startNativeThread(std::function<void()> body) {
  runningThreads().fetch_add(1);
  try {
    std::thread([body = std::move(body)]() mutable {
      body();
      body = nullptr;  // what it holds goes before the thread counts as gone
      runningThreads().fetch_sub(1);
    }).detach();
  } catch (...) {
    runningThreads().fetch_sub(1);
    throw;
  }
}

void leaveBeforeTensorrt() {
  if (runningThreads().load() > 0) on_exit(leaveIfThreadsRun, nullptr);
}

}  // namespace trtnode
