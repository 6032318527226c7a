// A small JSON value for the doubles' plans and reports: no dependency, integers kept exact (dims are int64).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trt_double {

class Json {
 public:
  enum class Kind { kNull, kBool, kInteger, kNumber, kString, kArray, kObject };
  using Members = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(bool value) : kind_(Kind::kBool), integer_(value) {}
  Json(int32_t value) : kind_(Kind::kInteger), integer_(value) {}
  Json(uint32_t value) : kind_(Kind::kInteger), integer_(value) {}
  Json(int64_t value) : kind_(Kind::kInteger), integer_(value) {}
  Json(uint64_t value) : kind_(Kind::kInteger), integer_(static_cast<int64_t>(value)) {}
  Json(double value) : kind_(Kind::kNumber), number_(value) {}
  Json(char const* value) : kind_(value ? Kind::kString : Kind::kNull), string_(value ? value : "") {}
  Json(std::string value) : kind_(Kind::kString), string_(std::move(value)) {}
  static Json array(std::vector<Json> items = {});
  static Json object(Members members = {});
  static Json integers(std::vector<int64_t> const& values);

  /** @throws std::runtime_error where `text` is no JSON */
  static Json parse(std::string const& text);
  std::string dump() const;

  Kind kind() const { return kind_; }
  bool isNull() const { return kind_ == Kind::kNull; }
  bool boolean() const { return integer_ != 0; }
  int64_t integer() const;
  double number() const;
  std::string const& string() const { return string_; }
  std::vector<Json> const& items() const { return items_; }
  Members const& members() const { return members_; }
  std::vector<int64_t> integers() const;

  /** The member of that name, or null. */
  Json const& operator[](std::string const& name) const;
  void set(std::string const& name, Json value);
  void push(Json value) { items_.push_back(std::move(value)); }

 private:
  Kind kind_ = Kind::kNull;
  int64_t integer_ = 0;
  double number_ = 0;
  std::string string_;
  std::vector<Json> items_;
  Members members_;
};

}  // namespace trt_double
