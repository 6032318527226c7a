// Stand-in for tests: streams and events of the libcuda double.
#include "stream.h"

#include <thread>

#include "../common/ledger.h"

namespace trt_double {
namespace {

thread_local bool isStreamThread = false;
std::atomic<unsigned> streamCount{0};

}  // namespace

bool inStreamWork() {
  return isStreamThread;
}

Stream::Stream(std::shared_ptr<Context> context)
    : context_(std::move(context)),
      random_(static_cast<unsigned>(settingNumber("TRT_DOUBLE_SEED", 1)) * 7919u + ++streamCount),
      inline_(settingNumber("TRT_DOUBLE_INLINE", 0) != 0),
      maxDelayUs_(settingNumber("TRT_DOUBLE_MAX_DELAY_US", 300)) {}

std::shared_ptr<Stream> Stream::start(std::shared_ptr<Context> context) {
  std::shared_ptr<Stream> stream(new Stream(std::move(context)));
  if (!stream->inline_) std::thread([stream] { stream->run(); }).detach();
  return stream;
}

void Stream::submit(Work work) {
  enqueue({std::move(work), false});
}
void Stream::submitAlways(Work work) {
  enqueue({std::move(work), true});
}

void Stream::enqueue(Queued queued) {
  {
    std::lock_guard lock(mutex_);
    if (capture_) {
      capture_->works.push_back(std::move(queued.work));
      return;
    }
  }
  if (inline_) {
    perform(queued);
    return;
  }
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(queued));
  ++submitted_;
  changed_.notify_all();
}

CUresult Stream::synchronize() {
  std::unique_lock lock(mutex_);
  if (capture_) {
    captureBroken_ = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  uint64_t const until = submitted_;
  changed_.wait(lock, [&] { return completed_ >= until; });
  return context_->sticky;
}

bool Stream::idle() {
  std::lock_guard lock(mutex_);
  return completed_ == submitted_;
}

bool Stream::beginCapture() {
  std::lock_guard lock(mutex_);
  if (capture_) return false;
  capture_ = std::make_shared<Graph>();
  captureBroken_ = false;
  return true;
}

std::shared_ptr<Graph> Stream::endCapture() {
  std::lock_guard lock(mutex_);
  auto captured = std::move(capture_);
  capture_ = nullptr;
  return captureBroken_ ? nullptr : captured;
}

bool Stream::capturing() {
  std::lock_guard lock(mutex_);
  return capture_ != nullptr;
}

void Stream::finish() {
  std::lock_guard lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
}

void Stream::run() {
  isStreamThread = true;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return finishing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    long const delay =
        maxDelayUs_ > 0 ? static_cast<long>(random_() % static_cast<unsigned long>(maxDelayUs_)) : 0;
    lock.unlock();
    if (delay > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay));
    perform(next);
    next.work = nullptr;  // lets go of its memory before anyone hears that it is done
    lock.lock();
    ++completed_;
    changed_.notify_all();
  }
}

void Stream::perform(Queued const& queued) {
  // After an asynchronous error nothing more computes in the context.
  if (context_->sticky != CUDA_SUCCESS && !queued.always) return;
  CUresult const result = queued.work();
  if (result != CUDA_SUCCESS) context_->sticky = result;
}

void Event::Mark::reach() {
  std::lock_guard lock(mutex);
  reached = true;
  time = std::chrono::steady_clock::now();
  changed.notify_all();
}

void Event::Mark::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return reached; });
}

bool Event::Mark::isReached() {
  std::lock_guard lock(mutex);
  return reached;
}

std::shared_ptr<Event::Mark> Event::last() {
  std::lock_guard lock(mutex_);
  return mark_;
}

std::shared_ptr<Event::Mark> Event::renew() {
  std::lock_guard lock(mutex_);
  mark_ = std::make_shared<Mark>();
  return mark_;
}

}  // namespace trt_double
