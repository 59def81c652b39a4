// A reader for the JSON of the model metadata (RFC 8259), without dependencies.
#pragma once

#include <cstddef>
#include <locale>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace na64ml {
namespace json {

/// What is wrong with a text, or with the kind of a value.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One JSON value.
class Value {
public:
    enum class Kind { null, boolean, number, string, array, object };

    Kind kind = Kind::null;
    bool boolean = false;
    double number = 0;
    std::string string;
    std::vector<Value> array;
    std::map<std::string, Value> object;

    /// The value of a key; throws if this is no object or has no such key.
    const Value& at(const std::string& key) const {
        const auto found = object.find(key);
        if (kind != Kind::object || found == object.end()) throw Error("key '" + key + "' is missing");
        return found->second;
    }

    double as_number() const { return expect(Kind::number, "a number").number; }
    const std::string& as_string() const { return expect(Kind::string, "a string").string; }
    const std::vector<Value>& as_array() const { return expect(Kind::array, "a list").array; }
    const std::map<std::string, Value>& as_object() const { return expect(Kind::object, "a mapping").object; }

    std::vector<std::string> as_strings() const {
        std::vector<std::string> words;
        for (const auto& item : as_array()) words.push_back(item.as_string());
        return words;
    }

private:
    const Value& expect(Kind wanted, const char* name) const {
        if (kind != wanted) throw Error(std::string("a value is not ") + name);
        return *this;
    }
};

class Parser {
public:
    explicit Parser(const std::string& text) : text_(text) {}

    Value parse() {
        Value value = parse_value(0);
        skip_space();
        if (position_ != text_.size()) fail("characters after the end");
        return value;
    }

private:
    static constexpr int max_depth = 64;

    const std::string& text_;
    std::size_t position_ = 0;

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(what + " at character " + std::to_string(position_));
    }

    void skip_space() {
        while (position_ < text_.size() && std::string(" \t\r\n").find(text_[position_]) != std::string::npos) ++position_;
    }

    char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

    bool take(char wanted) {
        skip_space();
        if (peek() != wanted) return false;
        ++position_;
        return true;
    }

    void expect(char wanted) {
        if (!take(wanted)) fail(std::string("'") + wanted + "' is missing");
    }

    bool take_word(const std::string& word) {
        if (text_.compare(position_, word.size(), word) != 0) return false;
        position_ += word.size();
        return true;
    }

    Value parse_value(int depth) {
        if (depth > max_depth) fail("too deeply nested");
        skip_space();
        Value value;
        if (peek() == '{') {
            value.kind = Value::Kind::object;
            parse_object(value, depth);
        } else if (peek() == '[') {
            value.kind = Value::Kind::array;
            parse_array(value, depth);
        } else if (peek() == '"') {
            value.kind = Value::Kind::string;
            value.string = parse_string();
        } else if (take_word("true")) {
            value.kind = Value::Kind::boolean;
            value.boolean = true;
        } else if (take_word("false")) {
            value.kind = Value::Kind::boolean;
        } else if (!take_word("null")) {
            value.kind = Value::Kind::number;
            value.number = parse_number();
        }
        return value;
    }

    void parse_object(Value& value, int depth) {
        expect('{');
        if (take('}')) return;
        do {
            skip_space();
            if (peek() != '"') fail("a key is missing");
            const std::string key = parse_string();
            expect(':');
            value.object[key] = parse_value(depth + 1);
        } while (take(','));
        expect('}');
    }

    void parse_array(Value& value, int depth) {
        expect('[');
        if (take(']')) return;
        do value.array.push_back(parse_value(depth + 1));
        while (take(','));
        expect(']');
    }

    double parse_number() {
        const std::size_t start = position_;
        while (std::string("+-.eE0123456789").find(peek()) != std::string::npos && peek() != '\0') ++position_;
        std::istringstream stream(text_.substr(start, position_ - start));
        stream.imbue(std::locale::classic());  // analysis programs may have set another one
        double number = 0;
        if (!(stream >> number) || stream.peek() != std::istringstream::traits_type::eof()) fail("not a value");
        return number;
    }

    std::string parse_string() {
        std::string result;
        for (++position_; peek() != '"'; ++position_) {
            if (position_ >= text_.size()) fail("a string does not end");
            if (peek() == '\\') {
                ++position_;
                append_escaped(result);
            } else {
                result += peek();
            }
        }
        ++position_;
        return result;
    }

    void append_escaped(std::string& result) {
        static const std::string letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (peek() == 'u') {
            append_utf8(result, parse_code_point());
            return;
        }
        const std::size_t which = letters.find(peek());
        if (which == std::string::npos || peek() == '\0') fail("an unknown escape");
        result += meanings[which];
    }

    unsigned parse_code_point() {
        unsigned code = parse_hex();
        if (code >= 0xD800 && code < 0xDC00 && text_.compare(position_ + 1, 2, "\\u") == 0) {
            position_ += 2;
            code = 0x10000 + ((code - 0xD800) << 10) + (parse_hex() - 0xDC00);
        }
        return code;
    }

    /// Read the four digits after the current 'u' and stay on the last of them.
    unsigned parse_hex() {
        const std::string digits = text_.substr(position_ + 1, 4);
        if (digits.size() < 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
            fail("four hexadecimal digits are missing");
        }
        position_ += 4;
        return static_cast<unsigned>(std::stoul(digits, nullptr, 16));
    }

    static void append_utf8(std::string& result, unsigned code) {
        const auto add = [&result](unsigned byte) { result += static_cast<char>(byte); };
        if (code < 0x80) {
            add(code);
        } else if (code < 0x800) {
            add(0xC0 | (code >> 6));
            add(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            add(0xE0 | (code >> 12));
            add(0x80 | ((code >> 6) & 0x3F));
            add(0x80 | (code & 0x3F));
        } else {
            add(0xF0 | (code >> 18));
            add(0x80 | ((code >> 12) & 0x3F));
            add(0x80 | ((code >> 6) & 0x3F));
            add(0x80 | (code & 0x3F));
        }
    }
};

/// Parse a text; throws json::Error.
inline Value parse(const std::string& text) { return Parser(text).parse(); }

}  // namespace json
}  // namespace na64ml
