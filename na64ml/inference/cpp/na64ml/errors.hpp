// Errors a user can act on: each message names what is wrong and what to do. Same kinds as in the Python package.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace na64ml {

/// Base of all errors of this library.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A model file, or an option, is wrong.
struct ConfigError : Error {
    using Error::Error;
};

/// The events are wrong.
struct InputError : Error {
    using Error::Error;
};

/// The events are of a detector that the network was not validated for.
struct ContractError : Error {
    using Error::Error;
};

/// "a, b, c"
inline std::string join(const std::vector<std::string>& words, const std::string& separator = ", ") {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : separator) + word;
    return text;
}

}  // namespace na64ml
