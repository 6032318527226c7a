#include "plugins/tensor_layout.h"

#include <cstring>

#include "loader/error.h"

namespace trtnode {
namespace {

using nvinfer1::Dims;
using nvinfer1::TensorFormat;

// How a format orders a tensor. Vector-minor: […][spatial][channels, padded]; vector-major:
// […][channels / scalars][spatial][scalars].
struct Format {
  char const* name;
  TensorFormat format;
  int32_t scalars;
  int32_t spatialDims;
  bool minor;
};

// DLA's formats are not here: they need a DLA.
constexpr Format kFormats[] = {
    {"linear", TensorFormat::kLINEAR, 1, 0, false},  {"chw2", TensorFormat::kCHW2, 2, 2, false},
    {"hwc8", TensorFormat::kHWC8, 8, 2, true},       {"chw4", TensorFormat::kCHW4, 4, 2, false},
    {"chw32", TensorFormat::kCHW32, 32, 2, false},   {"dhwc8", TensorFormat::kDHWC8, 8, 3, true},
    {"cdhw32", TensorFormat::kCDHW32, 32, 3, false}, {"hwc", TensorFormat::kHWC, 1, 2, true},
    {"hwc16", TensorFormat::kHWC16, 16, 2, true},    {"dhwc", TensorFormat::kDHWC, 1, 3, true},
};

Format const& describe(TensorFormat format) {
  for (Format const& known : kFormats) {
    if (known.format == format) return known;
  }
  throw Error(ErrorCode::kUnsupported,
              "no layout for TensorRT's format " + std::to_string(static_cast<int>(format)));
}

// A tensor as the format sees it: `outer` times `channels` times `plane`.
struct Extents {
  int64_t outer = 1, channels = 1, plane = 1, padded = 1;
};

Extents extentsOf(Dims const& dims, Format const& format) {
  int32_t const channel = dims.nbDims - format.spatialDims - 1;
  if (channel < 0) {
    throw Error(ErrorCode::kUnsupported, std::string("the format ") + format.name + " needs " +
                                             std::to_string(format.spatialDims + 1) +
                                             " dimensions, and a tensor has " + std::to_string(dims.nbDims));
  }
  Extents extents;
  for (int32_t d = 0; d < dims.nbDims; ++d) {
    (d < channel ? extents.outer : d == channel ? extents.channels : extents.plane) *= dims.d[d];
  }
  extents.padded = (extents.channels + format.scalars - 1) / format.scalars * format.scalars;
  return extents;
}

int64_t countOf(Dims const& dims) {
  int64_t count = 1;
  for (int32_t d = 0; d < dims.nbDims; ++d) count *= dims.d[d];
  return count;
}

// Calls `move` with the place of each element, row-major and in the format.
template <class Move>
void forEach(Dims const& dims, Format const& format, Move move) {
  Extents const e = extentsOf(dims, format);
  for (int64_t n = 0; n < e.outer; ++n) {
    for (int64_t c = 0; c < e.channels; ++c) {
      for (int64_t i = 0; i < e.plane; ++i) {
        int64_t const minor = (n * e.plane + i) * e.padded + c;
        int64_t const major = (n * e.padded + c / format.scalars * format.scalars) * e.plane +
                              i * format.scalars + c % format.scalars;
        move((n * e.channels + c) * e.plane + i, format.minor ? minor : major);
      }
    }
  }
}

}  // namespace

TensorFormat formatNamed(std::string const& name) {
  std::string names;
  for (Format const& known : kFormats) {
    if (name == known.name) return known.format;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  throw Error(ErrorCode::kInvalidArgument, "no tensor format " + name + "; there are " + names);
}

char const* nameOf(TensorFormat format) {
  return describe(format).name;
}

size_t bytesOf(Dims const& dims, size_t elementBytes, TensorFormat format) {
  if (format == TensorFormat::kLINEAR) return static_cast<size_t>(countOf(dims)) * elementBytes;
  Extents const extents = extentsOf(dims, describe(format));
  return static_cast<size_t>(extents.outer * extents.padded * extents.plane) * elementBytes;
}

Blob toFormat(Blob const& rowMajor, Dims const& dims, size_t elementBytes, TensorFormat format) {
  Blob result(bytesOf(dims, elementBytes, format));
  if (format == TensorFormat::kLINEAR) {
    std::memcpy(result.data.get(), rowMajor.data.get(), result.size);
    return result;
  }
  std::memset(result.data.get(), 0, result.size);
  forEach(dims, describe(format), [&](int64_t from, int64_t to) {
    std::memcpy(&result.data[static_cast<size_t>(to) * elementBytes],
                &rowMajor.data[static_cast<size_t>(from) * elementBytes], elementBytes);
  });
  return result;
}

Blob fromFormat(Blob const& formatted, Dims const& dims, size_t elementBytes, TensorFormat format) {
  Blob result(static_cast<size_t>(countOf(dims)) * elementBytes);
  if (format == TensorFormat::kLINEAR) {
    std::memcpy(result.data.get(), formatted.data.get(), result.size);
    return result;
  }
  forEach(dims, describe(format), [&](int64_t to, int64_t from) {
    std::memcpy(&result.data[static_cast<size_t>(to) * elementBytes],
                &formatted.data[static_cast<size_t>(from) * elementBytes], elementBytes);
  });
  return result;
}

}  // namespace trtnode
