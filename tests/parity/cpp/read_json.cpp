// Reads JSON from standard input and writes it in one canonical form, or says what is wrong.
#include <iomanip>
#include <iostream>
#include <iterator>

#include "na64ml/json.hpp"

using na64ml::json::Value;

static void write(const std::string& text) {
    std::cout << '"' << std::hex << std::setfill('0');
    for (const unsigned char byte : text) std::cout << std::setw(2) << static_cast<unsigned>(byte);
    std::cout << std::dec << '"';
}

static void write(const Value& value) {
    const char* separator = "";
    switch (value.kind) {
        case Value::Kind::null: std::cout << "null"; break;
        case Value::Kind::boolean: std::cout << (value.boolean ? "true" : "false"); break;
        case Value::Kind::number: std::cout << std::setprecision(17) << value.number; break;
        case Value::Kind::string: write(value.string); break;
        case Value::Kind::array:
            std::cout << '[';
            for (const auto& item : value.array) {
                std::cout << separator;
                write(item);
                separator = ",";
            }
            std::cout << ']';
            break;
        case Value::Kind::object:
            std::cout << '{';
            for (const auto& item : value.object) {
                std::cout << separator;
                write(item.first);
                std::cout << ':';
                write(item.second);
                separator = ",";
            }
            std::cout << '}';
    }
}

int main() {
    const std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
    try {
        write(na64ml::json::parse(text));
    } catch (const na64ml::json::Error& error) {
        std::cerr << error.what();
        return 1;
    }
}
