// A stream is a thread with a queue, and every piece of work waits a seeded while before it runs: what is
// asynchronous in the documentation is late here, so that code which does not wait reads what is not there
// yet.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "context.h"

namespace trt_double {

struct Graph;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  using Work = std::function<CUresult()>;

  static std::shared_ptr<Stream> start(std::shared_ptr<Context> context);

  std::shared_ptr<Context> const& context() const { return context_; }
  void submit(Work work);
  /** Work that runs even after an asynchronous error: those who wait for an event must hear of it. */
  void submitAlways(Work work);
  /** Waits for all that was submitted until now. */
  CUresult synchronize();
  bool idle();
  /** From here on work is captured. @returns false where it is so already */
  bool beginCapture();
  /** What was captured; null where the capture was broken, or never begun. */
  std::shared_ptr<Graph> endCapture();
  bool capturing();
  /** Takes no more work; the thread ends when the queue is empty, as cuStreamDestroy documents. */
  void finish();

 private:
  explicit Stream(std::shared_ptr<Context> context);
  struct Queued {
    Work work;
    bool always;
  };
  void enqueue(Queued queued);
  void run();
  void perform(Queued const& queued);

  std::shared_ptr<Context> const context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Queued> queue_;
  uint64_t submitted_ = 0, completed_ = 0;
  bool finishing_ = false;
  std::shared_ptr<Graph> capture_;
  bool captureBroken_ = false;
  std::minstd_rand random_;
  bool const inline_;
  long const maxDelayUs_;
};

/** Work that was captured instead of done, to be launched as a whole, again and again. */
struct Graph {
  std::vector<Stream::Work> works;
};

/** Whether the calling thread runs a stream's work, where the driver API may not be called. */
bool inStreamWork();

/** Marks places in streams. Each record makes a new mark, which waiters hold. */
class Event {
 public:
  struct Mark {
    std::mutex mutex;
    std::condition_variable changed;
    bool reached = false;
    std::chrono::steady_clock::time_point time;

    void reach();
    void wait();
    bool isReached();
  };

  Event(std::shared_ptr<Context> context, unsigned flags) : context(std::move(context)), flags(flags) {}

  std::shared_ptr<Context> const context;
  unsigned const flags;

  /** The mark of the last record; null before the first. */
  std::shared_ptr<Mark> last();
  std::shared_ptr<Mark> renew();

 private:
  std::mutex mutex_;
  std::shared_ptr<Mark> mark_;
};

}  // namespace trt_double
