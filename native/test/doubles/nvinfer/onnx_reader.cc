// Stand-in for tests: the ONNX reader of the parser double. Field numbers are those of onnx.proto.
#include "onnx_reader.h"

#include <cstdint>
#include <functional>
#include <stdexcept>

namespace trt_double {
namespace {

struct Bytes {
  uint8_t const* at;
  uint8_t const* end;

  std::string text() const {
    return std::string(reinterpret_cast<char const*>(at), static_cast<size_t>(end - at));
  }
};

struct Field {
  uint32_t number;
  uint64_t integer;  // of a varint
  Bytes bytes;       // of a length-delimited field
};

uint64_t readVarint(Bytes& in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in.at >= in.end) throw std::runtime_error("the model is cut off");
    uint8_t const byte = *in.at++;
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("a number is too long");
}

void readMessage(Bytes in, std::function<void(Field const&)> const& take) {
  while (in.at < in.end) {
    uint64_t const key = readVarint(in);
    Field field{static_cast<uint32_t>(key >> 3), 0, {in.at, in.at}};
    uint64_t length = 0;
    switch (key & 7) {
      case 0:
        field.integer = readVarint(in);
        break;
      case 1:
        length = 8;
        break;
      case 2:
        length = readVarint(in);
        break;
      case 5:
        length = 4;
        break;
      default:
        throw std::runtime_error("an unknown wire type");
    }
    if (length > static_cast<uint64_t>(in.end - in.at)) throw std::runtime_error("the model is cut off");
    field.bytes = {in.at, in.at + length};
    in.at += length;
    if (field.number == 0) throw std::runtime_error("a field without a number");
    take(field);
  }
}

OnnxValue readValue(Bytes in) {
  OnnxValue value;
  auto const dimension = [&](Field const& f) {
    if (f.number != 1) return;
    int64_t size = -1;
    readMessage(f.bytes, [&](Field const& d) {
      if (d.number == 1) size = static_cast<int64_t>(d.integer);
    });
    value.shape.push_back(size);
  };
  auto const tensorType = [&](Field const& f) {
    if (f.number == 1) value.elementType = static_cast<int>(f.integer);
    if (f.number == 2) readMessage(f.bytes, dimension);
  };
  readMessage(in, [&](Field const& f) {
    if (f.number == 1) value.name = f.bytes.text();
    if (f.number == 2) {
      readMessage(f.bytes, [&](Field const& t) {
        if (t.number == 1) readMessage(t.bytes, tensorType);
      });
    }
  });
  return value;
}

OnnxNode readNode(Bytes in) {
  OnnxNode node;
  readMessage(in, [&](Field const& f) {
    if (f.number == 1) node.inputs.push_back(f.bytes.text());
    if (f.number == 2) node.outputs.push_back(f.bytes.text());
    if (f.number == 3) node.name = f.bytes.text();
    if (f.number == 4) node.op = f.bytes.text();
    if (f.number == 7) node.domain = f.bytes.text();
  });
  return node;
}

}  // namespace

OnnxModel readOnnx(void const* data, size_t size) {
  OnnxModel model;
  std::map<std::string, int> initializers;
  bool hasGraph = false;
  auto const initializer = [&](Field const& f) {
    std::string name;
    int type = 0;
    readMessage(f.bytes, [&](Field const& t) {
      if (t.number == 2) type = static_cast<int>(t.integer);
      if (t.number == 8) name = t.bytes.text();
    });
    initializers[name] = type;
  };
  auto const graph = [&](Field const& f) {
    if (f.number == 1) model.nodes.push_back(readNode(f.bytes));
    if (f.number == 5) initializer(f);
    if (f.number == 11) model.inputs.push_back(readValue(f.bytes));
    if (f.number == 12) model.outputs.push_back(readValue(f.bytes));
    if (f.number == 13) {
      OnnxValue const value = readValue(f.bytes);
      model.types[value.name] = value.elementType;
    }
  };
  auto const* begin = static_cast<uint8_t const*>(data);
  readMessage({begin, begin + size}, [&](Field const& f) {
    if (f.number != 7) return;
    hasGraph = true;
    readMessage(f.bytes, graph);
  });
  if (!hasGraph) throw std::runtime_error("no graph in the model");
  std::vector<OnnxValue> inputs;
  for (OnnxValue& input : model.inputs) {
    model.types[input.name] = input.elementType;
    if (!initializers.count(input.name)) inputs.push_back(std::move(input));
  }
  model.inputs = std::move(inputs);
  for (OnnxValue const& output : model.outputs) model.types[output.name] = output.elementType;
  for (auto const& [name, type] : initializers) model.types[name] = type;
  return model;
}

}  // namespace trt_double
