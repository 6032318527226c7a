// Stand-in machinery for tests; nothing here ships.
#include "ledger.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "json.h"

namespace trt_double {
namespace {

/** One entry of TRT_DOUBLE_FAIL: `function:n=action`. */
struct PlannedFailure {
  std::string function;
  long nth;  // 0: every call
  std::string action;
};

std::vector<PlannedFailure> parsePlan(std::string const& text) {
  std::vector<PlannedFailure> plan;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = text.find(',', at);
    if (end == std::string::npos) end = text.size();
    std::string const entry = text.substr(at, end - at);
    at = end + 1;
    size_t const equals = entry.rfind('=');
    size_t const colon = entry.rfind(':', equals);
    if (equals == std::string::npos || colon == std::string::npos) {
      std::fprintf(stderr, "TRT_DOUBLE_FAIL: expected function:n=action, found %s\n", entry.c_str());
      std::abort();
    }
    std::string const nth = entry.substr(colon + 1, equals - colon - 1);
    plan.push_back(
        {entry.substr(0, colon), nth == "*" ? 0 : std::atol(nth.c_str()), entry.substr(equals + 1)});
  }
  return plan;
}

class Ledger {
 public:
  // Never destroyed: streams' threads may still write while the process ends.
  static Ledger& get() {
    static Ledger* const ledger = new Ledger();
    return *ledger;
  }

  Injection enter(std::string const& function) {
    std::string action;
    {
      std::lock_guard lock(mutex_);
      ++calls_[function];
      long const nth = ++callsSincePlan_[function];
      for (PlannedFailure const& failure : plan_) {
        if (failure.function == function && (failure.nth == 0 || failure.nth == nth)) action = failure.action;
      }
      if (!action.empty()) ++statistics_["injectedFailures"];
    }
    if (action.empty()) return {false, 0};
    if (action == "abort") std::abort();
    while (action == "hang") sleep(1);
    return {true, std::atoi(action.c_str())};
  }

  void misuse(std::string const& what) {
    std::lock_guard lock(mutex_);
    misuses_.push_back(what);
    std::fprintf(stderr, "TRT_DOUBLE misuse: %s\n", what.c_str());
  }

  void addLive(std::string const& kind, long delta) {
    std::lock_guard lock(mutex_);
    long& count = live_[kind];
    count += delta;
    long& peak = peak_[kind];
    if (count > peak) peak = count;
  }

  void addStatistic(std::string const& name, long delta) {
    std::lock_guard lock(mutex_);
    statistics_[name] += delta;
  }

  void setPlan(char const* plan) {
    std::lock_guard lock(mutex_);
    plan_ = parsePlan(plan ? plan : "");
    callsSincePlan_.clear();
  }

  std::string report() {
    std::lock_guard lock(mutex_);
    Json misuses = Json::array();
    for (std::string const& misuse : misuses_) misuses.push(misuse);
    return Json::object({{"standIn", "tensorrt-node test doubles"},
                         {"live", toJson(live_)},
                         {"peak", toJson(peak_)},
                         {"calls", toJson(calls_)},
                         {"statistics", toJson(statistics_)},
                         {"misuses", misuses}})
        .dump();
  }

  bool misused() {
    std::lock_guard lock(mutex_);
    return !misuses_.empty();
  }

 private:
  Ledger() : plan_(parsePlan(setting("TRT_DOUBLE_FAIL", ""))) {}

  static Json toJson(std::map<std::string, long> const& numbers) {
    Json object = Json::object();
    for (auto const& [name, number] : numbers) object.set(name, static_cast<int64_t>(number));
    return object;
  }

  std::mutex mutex_;
  std::vector<PlannedFailure> plan_;
  std::map<std::string, long> calls_, callsSincePlan_, live_, peak_, statistics_;
  std::vector<std::string> misuses_;
};

/** Runs when the process ends in an orderly way; a crash leaves no report, which a test sees as one missing.
 */
struct AtExit {
  ~AtExit() {
    std::string const folder = setting("TRT_DOUBLE_REPORT", "");
    if (!folder.empty()) {
      std::string const path = folder + "/report-" + std::to_string(getpid()) + ".json";
      if (FILE* file = std::fopen(path.c_str(), "w")) {
        std::fputs(Ledger::get().report().c_str(), file);
        std::fclose(file);
      }
    }
    if (Ledger::get().misused()) _exit(kMisuseExitCode);
  }
} atExit;

}  // namespace

Injection enter(std::string const& function) {
  return Ledger::get().enter(function);
}
void misuse(std::string const& what) {
  Ledger::get().misuse(what);
}
void addLive(std::string const& kind, long delta) {
  Ledger::get().addLive(kind, delta);
}
void addStatistic(std::string const& name, long delta) {
  Ledger::get().addStatistic(name, delta);
}

std::string setting(char const* name, std::string const& fallback) {
  char const* value = std::getenv(name);
  return value ? value : fallback;
}

long settingNumber(char const* name, long fallback) {
  char const* value = std::getenv(name);
  return value ? std::atol(value) : fallback;
}

}  // namespace trt_double

char const* trtDoubleReport() {
  thread_local std::string report;
  report = trt_double::Ledger::get().report();
  return report.c_str();
}

void trtDoubleFail(char const* plan) {
  trt_double::Ledger::get().setPlan(plan);
}
