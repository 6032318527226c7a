// Runs the kernels on the emulator and prints what came of it as one line of JSON; the tests in test/plugins
// judge it.
//   kernel_probe layer-norm type=float32 rows=3 columns=1:4097:1 mean=0 scale=1 seeds=1 bias=1 misalign=0 …
//   kernel_probe layer-norm-far type=float32 | prelu type=… dims=2,3,5 slope=3,1 | prelu-hwc8 … | prelu-far …
// The references here are written from ONNX's definitions, in fp64, element by element.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "../emulator/memory.h"
#include "../layer_norm/kernel.cuh"
#include "../prelu/kernel.cuh"
#include "probe_io.h"

namespace {

using probe::Arguments;
using probe::Json;
using probe::narrow;
using probe::Random;
using probe::ulpAt;
using probe::widen;
using namespace tensorrt_node;

void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error("launch failed with " + std::to_string(error));
}

template <class T>
T* device(int64_t count, char const* name, int misalign) {
  return static_cast<T*>(emulator::allocate(count * sizeof(T), name, misalign * sizeof(T)));
}

/** The worst difference so far, absolute and in units of the output type's last place, and the case it was
 * in. */
struct Worst {
  double absolute = 0;
  double ulps = 0;
  std::string where = "none";

  template <class T>
  void take(T actual, double exact, std::string const& place) {
    double const got = widen(actual);
    if (std::isnan(exact) || std::isinf(exact)) {
      bool const same = std::isnan(exact) ? std::isnan(got) : got == exact;
      if (!same) absolute = ulps = INFINITY, where = place;
      return;
    }
    double const difference = std::abs(got - exact);
    if (!(difference <= absolute)) absolute = difference, where = place;
    // fp32, in which the kernels reckon, has an error of its own: at most 1e-6, which the narrow types leave
    // out.
    double const rounding = sizeof(T) == 4 ? difference : std::max(0.0, difference - 1e-6);
    if (!(rounding / ulpAt<T>(exact) <= ulps)) ulps = rounding / ulpAt<T>(exact);
  }
};

Json trafficJson() {
  Json all;
  for (auto const& [name, traffic] : emulator::takeTraffic()) {
    Json widths;
    for (auto const& [width, count] : traffic.widths) {
      widths.add(std::to_string(width), static_cast<double>(count));
    }
    all.add(name, Json()
                      .add("requests", static_cast<double>(traffic.requests))
                      .add("bytes", static_cast<double>(traffic.bytes))
                      .add("sectors", static_cast<double>(traffic.sectors))
                      .add("uniqueSectors", static_cast<double>(traffic.uniqueSectors))
                      .add("widths", widths));
  }
  return all;
}

void print(int cases, Worst const& worst) {
  std::puts(Json()
                .add("cases", cases)
                .add("maxAbs", worst.absolute)
                .add("maxUlp", worst.ulps)
                .add("worst", worst.where)
                .add("launches", static_cast<double>(emulator::launchCount()))
                .add("traffic", trafficJson())
                .text()
                .c_str());
}

/** ONNX LayerNormalization of one row, in fp64. */
struct RowReference {
  double mean = 0;
  double inverseDeviation = 0;

  template <class T>
  RowReference(T const* x, int columns, double epsilon) {
    for (int i = 0; i < columns; ++i) mean += widen(x[i]);
    mean /= columns;
    double variance = 0;
    for (int i = 0; i < columns; ++i) variance += (widen(x[i]) - mean) * (widen(x[i]) - mean);
    inverseDeviation = 1 / std::sqrt(variance / columns + epsilon);
  }
};

/** Puts a value that is no number into the row: `none`, `nan`, `inf` or `-inf`. */
template <class T>
void spoil(T* row, int columns, std::string const& special) {
  if (special == "none") return;
  double const value = special == "nan" ? NAN : special == "inf" ? INFINITY : -INFINITY;
  row[columns / 2] = narrow<T>(value);
}

template <class T>
void layerNormCase(Arguments const& arguments, int rows, int columns, int seed, Worst& worst,
                   Worst& statistics) {
  int const misalign = static_cast<int>(arguments.number("misalign", 0));
  double const mean = arguments.number("mean", 0), scale = arguments.number("scale", 1);
  auto const epsilon = static_cast<float>(arguments.number("epsilon", 1e-5));
  bool const hasBias = arguments.number("bias", 1) != 0, inPlace = arguments.number("inPlace", 0) != 0;
  int64_t const count = int64_t{rows} * columns;
  T* const x = device<T>(count, "x", misalign);
  T* const y = inPlace ? x : device<T>(count, "y", misalign);
  T* const gamma = device<T>(columns, "scale", misalign);
  T* const beta = hasBias ? device<T>(columns, "bias", misalign) : nullptr;
  float* const means = device<float>(rows, "mean", 0);
  float* const deviations = device<float>(rows, "invStdDev", 0);
  Random random(seed * 7919 + columns);
  for (int64_t i = 0; i < count; ++i) x[i] = narrow<T>(mean + scale * random.next());
  for (int i = 0; i < columns; ++i) gamma[i] = narrow<T>(random.next());
  for (int i = 0; hasBias && i < columns; ++i) beta[i] = narrow<T>(random.next());
  if (rows > 0) spoil(x + int64_t{rows / 2} * columns, columns, arguments.text("special", "none"));
  std::vector<T> const original(x, x + count);

  check(launchLayerNorm(LayerNormWork<T>{x, gamma, beta, y, means, deviations, rows, columns, epsilon},
                        nullptr));

  std::string const where = "columns " + std::to_string(columns) + " seed " + std::to_string(seed);
  for (int r = 0; r < rows; ++r) {
    T const* const row = original.data() + int64_t{r} * columns;
    RowReference const reference(row, columns, epsilon);
    for (int i = 0; i < columns; ++i) {
      double exact = (widen(row[i]) - reference.mean) * reference.inverseDeviation * widen(gamma[i]);
      if (hasBias) exact += widen(beta[i]);
      worst.take(y[int64_t{r} * columns + i], exact, where);
    }
    statistics.take(means[r], reference.mean, where);
    statistics.take(deviations[r], reference.inverseDeviation, where);
  }
  emulator::releaseAll();
}

void layerNorm(Arguments const& arguments) {
  Worst worst, statistics;
  int cases = 0;
  auto const range = arguments.list("columns");
  int64_t const last = range.size() > 1 ? range[1] : range[0], step = range.size() > 2 ? range[2] : 1;
  int const rows = static_cast<int>(arguments.number("rows", 3));
  int const seeds = static_cast<int>(arguments.number("seeds", 1));
  probe::withType(arguments.text("type"), [&](auto type) {
    for (int64_t columns = range[0]; columns <= last; columns += step) {
      for (int seed = 0; seed < seeds; ++seed, ++cases) {
        layerNormCase<decltype(type)>(arguments, rows, static_cast<int>(columns), seed, worst, statistics);
      }
    }
  });
  std::puts(Json()
                .add("cases", cases)
                .add("maxAbs", worst.absolute)
                .add("maxUlp", worst.ulps)
                .add("worst", worst.where)
                .add("maxStatisticsUlp", statistics.ulps)
                .add("launches", static_cast<double>(emulator::launchCount()))
                .add("traffic", trafficJson())
                .text()
                .c_str());
}

/** Address space without memory: only what is touched takes any. */
template <class T>
T* sparse(int64_t count) {
  void* const mapped = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::runtime_error("no address space");
  return static_cast<T*>(mapped);
}

/** The number of elements that were written in [begin, end), all others being zero. */
template <class T>
int64_t written(T const* y, int64_t begin, int64_t end) {
  return std::count_if(y + begin, y + end, [](T value) { return widen(value) != 0.0f; });
}

/** Only the last blocks of a tensor that has more than 2^31 elements. */
template <class T>
void layerNormFar(Arguments const& arguments) {
  int const columns = static_cast<int>(arguments.number("columns", 1024));
  int64_t const rows = (int64_t{1} << 31) / columns + 4096;
  int64_t const first = rows - 16, begin = first * columns, end = rows * columns;
  T* const x = sparse<T>(rows * columns);
  T* const y = sparse<T>(rows * columns);
  std::vector<T> const gamma(columns, narrow<T>(1)), beta(columns, narrow<T>(4));
  Random random(1);
  for (int64_t i = begin; i < end; ++i) x[i] = narrow<T>(random.next());
  // A block has four rows where warps have rows, one where blocks have.
  int const rowsPerBlock = columns <= 8 * 32 * static_cast<int>(16 / sizeof(T)) ? 4 : 1;
  emulator::limitBlocks(static_cast<unsigned>(first / rowsPerBlock),
                        static_cast<unsigned>(16 / rowsPerBlock));
  alignas(16) static T alignedGamma[1 << 16], alignedBeta[1 << 16];
  std::copy(gamma.begin(), gamma.end(), alignedGamma);
  std::copy(beta.begin(), beta.end(), alignedBeta);
  check(launchLayerNorm(
      LayerNormWork<T>{x, alignedGamma, alignedBeta, y, nullptr, nullptr, rows, columns, 1e-5f}, nullptr));
  Worst worst;
  for (int64_t r = first; r < rows; ++r) {
    RowReference const reference(x + r * columns, columns, 1e-5f);
    for (int i = 0; i < columns; ++i) {
      double const exact = (widen(x[r * columns + i]) - reference.mean) * reference.inverseDeviation + 4;
      worst.take(y[r * columns + i], exact, "row " + std::to_string(r));
    }
  }
  std::puts(Json()
                .add("maxAbs", worst.absolute)
                .add("maxUlp", worst.ulps)
                .add("firstElement", static_cast<double>(begin))
                .add("writtenThere", static_cast<double>(written(y, begin, end)))
                .add("writtenAround",
                     static_cast<double>(written(y, begin - (1 << 20), begin) + written(y, 0, 1 << 20)))
                .add("expected", static_cast<double>(end - begin))
                .text()
                .c_str());
}

/** ONNX's unidirectional broadcasting, or [C] by channel: index of the slope of element `element`. */
int64_t slopeIndex(int64_t element, std::vector<int64_t> const& dims, std::vector<int64_t> const& slopeDims) {
  int64_t index = 0, stride = 1;
  for (size_t back = 1; back <= dims.size(); ++back) {
    int64_t const extent = dims[dims.size() - back], position = element % extent;
    element /= extent;
    if (back > slopeDims.size()) continue;
    int64_t const slopeExtent = slopeDims[slopeDims.size() - back];
    if (slopeExtent != 1) index += position * stride;
    stride *= slopeExtent;
  }
  return index;
}

Shape shapeOf(std::vector<int64_t> const& dims) {
  Shape shape;
  for (int64_t extent : dims) shape.extent[shape.rank++] = extent;
  return shape;
}

int64_t product(std::vector<int64_t> const& dims) {
  int64_t all = 1;
  for (int64_t extent : dims) all *= extent;
  return all;
}

template <class T>
double exactPrelu(T value, T slope) {
  double const x = widen(value);
  // Products of two fp32 are exact in fp64: one rounding is left, to T.
  return widen(narrow<T>(x < 0 ? x * static_cast<double>(widen(slope)) : x));
}

template <class T>
void fillPrelu(T* x, int64_t count, T* slope, int64_t slopes, uint64_t seed, std::string const& special) {
  Random random(seed);
  for (int64_t i = 0; i < count; ++i) x[i] = narrow<T>(random.next() * 4);
  for (int64_t i = 0; i < slopes; ++i) slope[i] = narrow<T>(random.next());
  if (count > 0) spoil(x, static_cast<int>(std::min<int64_t>(count, 64)), special);
}

void prelu(Arguments const& arguments) {
  auto const dims = arguments.list("dims"), slopeDims = arguments.list("slope", "");
  // How the reference reads the slope, where that is not its own shape: [C] for [C,1,1].
  auto const meaning = arguments.list("meaning", arguments.text("slope", "").c_str());
  int const misalign = static_cast<int>(arguments.number("misalign", 0));
  bool const inPlace = arguments.number("inPlace", 0) != 0;
  int64_t const count = product(dims), slopes = product(slopeDims);
  Worst worst;
  probe::withType(arguments.text("type"), [&](auto type) {
    using T = decltype(type);
    T* const x = device<T>(count, "x", misalign);
    T* const y = inPlace ? x : device<T>(count, "y", misalign);
    T* const slope = device<T>(slopes, "slope", misalign);
    fillPrelu(x, count, slope, slopes, 5, arguments.text("special", "none"));
    std::vector<T> const original(x, x + count);
    check(launchPrelu(PreluWork<T>{x, slope, y, count}, slopePattern(shapeOf(dims), shapeOf(slopeDims)),
                      nullptr));
    for (int64_t i = 0; i < count; ++i) {
      worst.take(y[i], exactPrelu(original[i], slope[slopeIndex(i, dims, meaning)]), std::to_string(i));
    }
  });
  print(1, worst);
}

void preluHwc8(Arguments const& arguments) {
  auto const channels = static_cast<int>(arguments.number("channels", 8));
  auto const pixels = static_cast<int64_t>(arguments.number("pixels", 10));
  int const padded = (channels + 7) / 8 * 8;
  __half* const x = device<__half>(pixels * padded, "x", 0);
  __half* const y = device<__half>(pixels * padded, "y", 0);
  __half* const slope = device<__half>(channels, "slope", 0);
  fillPrelu(x, pixels * padded, slope, channels, 9, "none");
  check(launchPreluHwc8(x, slope, y, pixels, channels, nullptr));
  Worst worst;
  for (int64_t i = 0; i < pixels * padded; ++i) {
    int const channel = static_cast<int>(i % padded);
    if (channel < channels) worst.take(y[i], exactPrelu(x[i], slope[channel]), std::to_string(i));
  }
  print(1, worst);
}

template <class T>
void preluFar(Arguments const& arguments) {
  int64_t const run = static_cast<int64_t>(arguments.number("run", 49)), channels = 64;
  int64_t const images = (int64_t{1} << 31) / (run * channels) + 64, count = images * channels * run;
  T* const x = sparse<T>(count);
  T* const y = sparse<T>(count);
  std::vector<T> slope(channels);
  int64_t const perBlock = kPreluThreads * (16 / sizeof(T)), block = count / perBlock - 8;
  int64_t const begin = block * perBlock, end = begin + 8 * perBlock;
  fillPrelu(x + begin, end - begin, slope.data(), channels, 3, "none");
  emulator::limitBlocks(static_cast<unsigned>(block), 8);
  check(launchPrelu(PreluWork<T>{x, slope.data(), y, count},
                    slopePattern({images, channels, run}, {channels, 1}), nullptr));
  Worst worst;
  for (int64_t i = begin; i < end; ++i) {
    worst.take(y[i], exactPrelu(x[i], slope[i / run % channels]), std::to_string(i));
  }
  std::puts(Json()
                .add("maxUlp", worst.ulps)
                .add("firstElement", static_cast<double>(begin))
                .add("writtenThere", static_cast<double>(written(y, begin, end)))
                .add("writtenAround",
                     static_cast<double>(written(y, begin - (1 << 20), begin) + written(y, 0, 1 << 20)))
                .add("expected", static_cast<double>(end - begin))
                .text()
                .c_str());
}

/** Both dividers against the processor's own division, at random and at the edges. */
void divisors() {
  int64_t wrong = 0, cases = 0;
  uint64_t state = 1;
  auto const random = [&] { return state = state * 6364136223846793005u + 1442695040888963407u; };
  for (int i = 0; i < 20000; ++i) {
    uint64_t const divisor = (random() >> 1 >> (random() >> 58)) + 1;
    auto const shortDivisor = static_cast<unsigned>(divisor & 0x7fffffff) | 1u;
    FastDivisor64 const wide(divisor);
    FastDivisor32 const narrowDivisor(shortDivisor);
    for (uint64_t value : {uint64_t{0}, divisor - 1, divisor, random() >> 1, (uint64_t{1} << 63) - 1}) {
      wrong += wide.quotient(value) != value / divisor;
      auto const shortValue = static_cast<unsigned>(value & 0x7fffffff);
      wrong += narrowDivisor.quotient(shortValue) != shortValue / shortDivisor;
      cases += 2;
    }
  }
  std::puts(Json()
                .add("cases", static_cast<double>(cases))
                .add("wrong", static_cast<double>(wrong))
                .text()
                .c_str());
}

}  // namespace

int main(int count, char** values) {
  try {
    std::string const what = count > 1 ? values[1] : "";
    Arguments const arguments(count, values);
    if (what == "layer-norm") {
      layerNorm(arguments);
    } else if (what == "layer-norm-far") {
      probe::withType(arguments.text("type"), [&](auto type) { layerNormFar<decltype(type)>(arguments); });
    } else if (what == "prelu") {
      prelu(arguments);
    } else if (what == "prelu-hwc8") {
      preluHwc8(arguments);
    } else if (what == "prelu-far") {
      probe::withType(arguments.text("type"), [&](auto type) { preluFar<decltype(type)>(arguments); });
    } else if (what == "divisors") {
      divisors();
    } else {
      throw std::invalid_argument("unknown probe '" + what + "'");
    }
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
