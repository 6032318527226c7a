// The one book of all doubles in a process: who called what how often, what is alive, what was misused, and
// which call is to fail. A shared library of its own, so that the stand-ins of libcuda and libnvinfer write
// into the same book.
#pragma once

#include <string>

#define TRT_DOUBLE_EXPORT __attribute__((visibility("default")))

namespace trt_double {

/** What TRT_DOUBLE_FAIL asks of the call at hand; `code` is the number given there, 1 by default. */
struct Injection {
  bool fails;
  int code;
};

/** Counts a call of `function`. Where TRT_DOUBLE_FAIL says `abort` or `hang`, it does not return. */
TRT_DOUBLE_EXPORT Injection enter(std::string const& function);

/** The caller broke a documented rule. Makes the process exit with {@link kMisuseExitCode}. */
TRT_DOUBLE_EXPORT void misuse(std::string const& what);

/** `delta` more things of `kind` are alive. */
TRT_DOUBLE_EXPORT void addLive(std::string const& kind, long delta);

/** Adds to a number that is only for reading, such as the count of copies from pageable memory. */
TRT_DOUBLE_EXPORT void addStatistic(std::string const& name, long delta);

/** The value of an environment variable, or `fallback`. */
TRT_DOUBLE_EXPORT std::string setting(char const* name, std::string const& fallback);
TRT_DOUBLE_EXPORT long settingNumber(char const* name, long fallback);

/** The exit code of a process that misused a double; no other part of the project uses it. */
constexpr int kMisuseExitCode = 97;

}  // namespace trt_double

extern "C" {
/** The book as JSON; valid until the calling thread asks again. */
TRT_DOUBLE_EXPORT const char* trtDoubleReport();
/** Replaces what TRT_DOUBLE_FAIL said, and counts calls from 1 again. */
TRT_DOUBLE_EXPORT void trtDoubleFail(char const* plan);
}
