// What a creator was given, read with types and lengths checked. A field that is missing takes its default;
// one that is there and wrong is refused by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "boundary.h"

namespace tensorrt_node {

class FieldReader {
 public:
  /** `known` are the names this operator has; `name`, `info`, `plugin_version` and `plugin_namespace` always
   * pass. */
  FieldReader(nvinfer1::PluginFieldCollection const* fields, std::vector<nvinfer1::PluginField> const& known);

  /** An integer of 32 or 64 bits, one of it. */
  int32_t integer(char const* name, int32_t otherwise) const;

  /** A floating-point number of any width, one of it. */
  float real(char const* name, float otherwise) const;

  /** Any number of floating-point numbers; nothing where the field is missing or empty. Copied: TensorRT
   * frees them. */
  std::optional<std::vector<float>> reals(char const* name) const;

 private:
  nvinfer1::PluginField const* find(char const* name) const;
  std::vector<nvinfer1::PluginField> fields_;
};

}  // namespace tensorrt_node
