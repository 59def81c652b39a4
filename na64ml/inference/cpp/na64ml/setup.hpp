// A detector setup and its run conditions, as 'na64ml cpp --setup NAME' writes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "errors.hpp"
#include "metadata.hpp"

namespace na64ml {

/// One readout cell, element or projection: centre in mm, and which axis it measures (0 both, 1 x, 2 y).
struct Channel {
    std::string label;
    float x, y, z;
    int axis;
};

/// One subdetector; channels in the C-order of the shape.
struct Detector {
    std::string name, kind;
    std::vector<int> shape;
    std::vector<Channel> channels;

    /// Channel of an index into the shape; axes of length one may be left out, and a single number counts all channels.
    /// Throws InputError if there is none.
    std::size_t channel(const std::vector<int>& index) const {
        const std::vector<int>* lengths = &shape;
        const std::vector<int> flat = {static_cast<int>(channels.size())}, compact = without_ones();
        if (index.size() == 1) lengths = &flat;
        else if (index.size() != shape.size()) lengths = &compact;
        std::size_t found = 0;
        bool fits = index.size() == lengths->size();
        for (std::size_t i = 0; fits && i < index.size(); ++i) {
            fits = index[i] >= 0 && index[i] < (*lengths)[i];
            found = found * static_cast<std::size_t>((*lengths)[i]) + static_cast<std::size_t>(index[i]);
        }
        if (!fits) throw InputError(name + " has no channel [" + text(index) + "], its shape is [" + text(shape) + "]");
        return found;
    }

    /// Channel of a label such as "MM5X". Throws InputError if there is none.
    std::size_t channel(const std::string& label) const {
        std::vector<std::string> labels;
        for (std::size_t i = 0; i < channels.size(); ++i) {
            if (channels[i].label == label) return i;
            labels.push_back(channels[i].label);
        }
        throw InputError(name + " has no channel '" + label + "', it has " + join(labels));
    }

private:
    std::vector<int> without_ones() const {
        std::vector<int> lengths;
        for (const int length : shape) {
            if (length != 1) lengths.push_back(length);
        }
        return lengths;
    }

    static std::string text(const std::vector<int>& numbers) {
        std::vector<std::string> words;
        for (const int number : numbers) words.push_back(std::to_string(number));
        return join(words);
    }
};

/// Conditions of the runs from `first` to `last`, both included.
struct RunConditions {
    long first, last;
    float impact_x, impact_y;                           ///< mean impact of the beam on the target, mm
    std::map<std::string, std::vector<double>> gains;   ///< factor on the energy of each channel; absent: 1
    std::map<std::string, std::vector<std::size_t>> dead;  ///< channels to be left out
};

/// A detector of one period.
struct Setup {
    std::string name;
    std::vector<Detector> detectors;
    std::vector<RunConditions> ranges;

    /// Throws ConfigError if there is no such detector.
    const Detector& detector(const std::string& wanted) const {
        std::vector<std::string> names;
        for (const auto& detector : detectors) {
            if (detector.name == wanted) return detector;
            names.push_back(detector.name);
        }
        throw ConfigError("setup '" + name + "' has no detector '" + wanted + "'; use one of " + join(names));
    }

    /// Throws ConfigError if no range has the run.
    const RunConditions& conditions(long run) const {
        std::vector<std::string> known;
        for (const auto& range : ranges) {
            if (range.first <= run && run <= range.last) return range;
            known.push_back(std::to_string(range.first) + " to " + std::to_string(range.last));
        }
        throw ConfigError("conditions of setup '" + name + "': no range has run " + std::to_string(run) +
                          "; there are runs " + join(known) + "; use the setup of its period");
    }

    /// What a network must agree on with events of these detectors.
    Contract contract(const std::vector<std::string>& names) const {
        Contract found;
        for (const auto& detector : detectors) {
            if (std::find(names.begin(), names.end(), detector.name) != names.end()) {
                found.detectors[detector.name] = detector.kind;
            }
        }
        return found;
    }
};

}  // namespace na64ml
