// What a network file says about itself: the JSON of its metadata property 'na64ml'.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "errors.hpp"
#include "json.hpp"

namespace na64ml {

/// Schema of the metadata that this library reads.
constexpr int schema = 1;

/// Columns of a hit: mm, mm, mm, GeV, ns (NaN if there is no time), 0 both axes measured, 1 x, 2 y.
inline const std::vector<std::string> hit_features = {"x", "y", "z", "energy", "time", "axis"};

/// Columns of a track: GeV, rad, rad, mm, mm (impact point), none; NaN where not measured, except the impact point.
inline const std::vector<std::string> track_features = {"p", "theta_x", "theta_y", "x", "y", "chi2"};

constexpr std::size_t n_hit_features = 6;
constexpr std::size_t n_track_features = 6;

/// What a network and the events it scores must agree on.
struct Contract {
    std::map<std::string, std::string> detectors;  ///< name to kind: "calorimeter", "counter", "srd", "tracker", ...
    std::vector<std::string> hit_features = na64ml::hit_features;
    std::vector<std::string> track_features = na64ml::track_features;
    std::map<std::string, std::string> units = {
        {"length", "mm"}, {"energy", "GeV"}, {"time", "ns"}, {"angle", "rad"}, {"momentum", "GeV"}};
    std::string frame = "z along the beam, ECAL front face at z = 0, x horizontal, y vertical";

    /// One line for everything in which `other` differs from this contract.
    std::vector<std::string> differences(const Contract& other) const {
        std::vector<std::string> lines;
        std::set<std::string> names;
        for (const auto& item : detectors) names.insert(item.first);
        for (const auto& item : other.detectors) names.insert(item.first);
        const auto kind = [](const Contract& contract, const std::string& name) {
            const auto found = contract.detectors.find(name);
            return found == contract.detectors.end() ? std::string("absent") : found->second;
        };
        for (const auto& name : names) {
            const std::string mine = kind(*this, name), theirs = kind(other, name);
            if (mine != theirs) lines.push_back("detector " + name + ": " + mine + " / " + theirs);
        }
        if (hit_features != other.hit_features) {
            lines.push_back("hit_features: " + join(hit_features) + " / " + join(other.hit_features));
        }
        if (track_features != other.track_features) {
            lines.push_back("track_features: " + join(track_features) + " / " + join(other.track_features));
        }
        if (units != other.units) lines.push_back("units: " + text(units) + " / " + text(other.units));
        if (frame != other.frame) lines.push_back("frame: " + frame + " / " + other.frame);
        return lines;
    }

private:
    static std::string text(const std::map<std::string, std::string>& words) {
        std::vector<std::string> parts;
        for (const auto& item : words) parts.push_back(item.first + " " + item.second);
        return join(parts);
    }
};

/// A named score threshold.
struct WorkingPoint {
    std::string name;
    double threshold;
};

/// Contents of the metadata that scoring needs.
struct Metadata {
    std::vector<std::string> inputs, outputs;  ///< names of the tensors, in order
    std::vector<std::string> detectors;        ///< in the order of the detector ids
    std::vector<std::string> classes;          ///< in the order of the probabilities, signal first
    std::vector<Contract> contracts;           ///< events the network was validated for
    std::vector<WorkingPoint> working_points;
    std::string weights_hash;
    int hit_cap = 0;

    /// Read the JSON of the model file `where`; throws ConfigError.
    static Metadata parse(const std::string& text, const std::string& where) {
        try {
            const json::Value root = json::parse(text);
            const double version = root.at("schema_version").as_number();
            if (version != schema) {
                std::ostringstream message;
                message << where << ": its metadata are of schema " << version << ", schema " << schema
                        << " is needed; export the network again with the version of this header, or use a newer header";
                throw ConfigError(message.str());
            }
            return read(root);
        } catch (const json::Error& error) {
            throw ConfigError(where + ": its metadata are not of schema " + std::to_string(schema) + ": " +
                              error.what() + "; export the network again with this version");
        }
    }

private:
    static Metadata read(const json::Value& root) {
        Metadata found;
        for (const auto& tensor : root.at("inputs").as_array()) found.inputs.push_back(tensor.at("name").as_string());
        for (const auto& tensor : root.at("outputs").as_array()) found.outputs.push_back(tensor.at("name").as_string());
        found.detectors = root.at("detectors").as_strings();
        found.classes = root.at("classes").as_strings();
        for (const auto& contract : root.at("contracts").as_array()) found.contracts.push_back(read_contract(contract));
        if (found.contracts.empty()) throw json::Error("key 'contracts' is empty");
        for (const auto& point : root.at("working_points").as_array()) {
            found.working_points.push_back({point.at("name").as_string(), point.at("threshold").as_number()});
        }
        found.weights_hash = root.at("weights_hash").as_string();
        found.hit_cap = static_cast<int>(root.at("hit_cap").as_number());
        return found;
    }

    static Contract read_contract(const json::Value& value) {
        Contract contract;
        contract.detectors = words(value.at("detectors"));
        contract.hit_features = value.at("hit_features").as_strings();
        contract.track_features = value.at("track_features").as_strings();
        contract.units = words(value.at("units"));
        contract.frame = value.at("frame").as_string();
        return contract;
    }

    static std::map<std::string, std::string> words(const json::Value& value) {
        std::map<std::string, std::string> found;
        for (const auto& item : value.as_object()) found[item.first] = item.second.as_string();
        return found;
    }
};

}  // namespace na64ml
