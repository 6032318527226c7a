#include "json.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace trt_double {
namespace {

class Reader {
 public:
  explicit Reader(std::string const& text) : text_(text) {}

  Json document() {
    Json value = read();
    skipSpace();
    if (at_ != text_.size()) fail("the end");
    return value;
  }

 private:
  [[noreturn]] void fail(char const* expected) const {
    throw std::runtime_error("JSON: expected " + std::string(expected) + " at byte " + std::to_string(at_));
  }
  void skipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(char c) {
    skipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, char const* what) {
    if (!accept(c)) fail(what);
  }
  bool acceptWord(char const* word) {
    std::string w(word);
    if (text_.compare(at_, w.size(), w) != 0) return false;
    at_ += w.size();
    return true;
  }

  Json read() {
    skipSpace();
    if (at_ >= text_.size()) fail("a value");
    if (accept('{')) return readObject();
    if (accept('[')) return readArray();
    if (accept('"')) return Json(readString());
    if (acceptWord("true")) return Json(true);
    if (acceptWord("false")) return Json(false);
    if (acceptWord("null")) return Json();
    return readNumber();
  }

  Json readObject() {
    Json::Members members;
    if (accept('}')) return Json::object();
    do {
      expect('"', "a member name");
      std::string name = readString();
      expect(':', "':'");
      members.emplace_back(std::move(name), read());
    } while (accept(','));
    expect('}', "'}'");
    return Json::object(std::move(members));
  }

  Json readArray() {
    std::vector<Json> items;
    if (accept(']')) return Json::array();
    do items.push_back(read());
    while (accept(','));
    expect(']', "']'");
    return Json::array(std::move(items));
  }

  std::string readString() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ >= text_.size()) fail("an escape");
      char e = text_[at_++];
      if (e == 'n')
        out += '\n';
      else if (e == 't')
        out += '\t';
      else if (e == 'r')
        out += '\r';
      else if (e == 'u') {
        // The doubles only write \u00XX.
        if (at_ + 4 > text_.size()) fail("four hex digits");
        out += static_cast<char>(std::strtol(text_.substr(at_, 4).c_str(), nullptr, 16));
        at_ += 4;
      } else
        out += e;
    }
    if (at_ >= text_.size()) fail("'\"'");
    ++at_;
    return out;
  }

  Json readNumber() {
    size_t end = text_.find_first_not_of("+-0123456789.eE", at_);
    std::string digits = text_.substr(at_, end == std::string::npos ? end : end - at_);
    if (digits.empty()) fail("a value");
    at_ += digits.size();
    if (digits.find_first_of(".eE") == std::string::npos) {
      return Json(static_cast<int64_t>(std::strtoll(digits.c_str(), nullptr, 10)));
    }
    return Json(std::strtod(digits.c_str(), nullptr));
  }

  std::string const& text_;
  size_t at_ = 0;
};

void dumpString(std::string const& value, std::string& out) {
  out += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

void dumpValue(Json const& value, std::string& out) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      out += "null";
      break;
    case Json::Kind::kBool:
      out += value.boolean() ? "true" : "false";
      break;
    case Json::Kind::kInteger:
      out += std::to_string(value.integer());
      break;
    case Json::Kind::kNumber: {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.17g", value.number());
      out += digits;
      break;
    }
    case Json::Kind::kString:
      dumpString(value.string(), out);
      break;
    case Json::Kind::kArray: {
      out += '[';
      char const* comma = "";
      for (Json const& item : value.items()) {
        out += comma;
        dumpValue(item, out);
        comma = ",";
      }
      out += ']';
      break;
    }
    case Json::Kind::kObject: {
      out += '{';
      char const* comma = "";
      for (auto const& [name, member] : value.members()) {
        out += comma;
        dumpString(name, out);
        out += ':';
        dumpValue(member, out);
        comma = ",";
      }
      out += '}';
      break;
    }
  }
}

}  // namespace

Json Json::array(std::vector<Json> items) {
  Json value;
  value.kind_ = Kind::kArray;
  value.items_ = std::move(items);
  return value;
}

Json Json::object(Members members) {
  Json value;
  value.kind_ = Kind::kObject;
  value.members_ = std::move(members);
  return value;
}

Json Json::integers(std::vector<int64_t> const& values) {
  return array(std::vector<Json>(values.begin(), values.end()));
}

Json Json::parse(std::string const& text) {
  return Reader(text).document();
}

std::string Json::dump() const {
  std::string out;
  dumpValue(*this, out);
  return out;
}

int64_t Json::integer() const {
  return kind_ == Kind::kNumber ? static_cast<int64_t>(number_) : integer_;
}

double Json::number() const {
  return kind_ == Kind::kNumber ? number_ : static_cast<double>(integer_);
}

std::vector<int64_t> Json::integers() const {
  std::vector<int64_t> values;
  for (Json const& item : items_) values.push_back(item.integer());
  return values;
}

Json const& Json::operator[](std::string const& name) const {
  static Json const* const null = new Json();
  for (auto const& member : members_) {
    if (member.first == name) return member.second;
  }
  return *null;
}

void Json::set(std::string const& name, Json value) {
  for (auto& member : members_) {
    if (member.first == name) {
      member.second = std::move(value);
      return;
    }
  }
  members_.emplace_back(name, std::move(value));
}

}  // namespace trt_double
