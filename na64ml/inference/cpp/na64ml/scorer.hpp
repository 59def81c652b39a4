// The scorer: events in, class probabilities, score, status and decisions out.
//
//     na64ml::Scorer scorer("model.onnx");
//     na64ml::Scores scores = scorer.score(events);
//     std::vector<bool> passed = scorer.passed(scores, "signal_90");
//
// Needs C++17 and libonnxruntime. The file holds features, normalisation, neighbours, network, score and status: there is
// nothing to prepare but raw quantities in GeV, mm and ns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "metadata.hpp"
#include "runtime.hpp"

namespace na64ml {

/// Why an event has a score or has none.
enum Status : int { scored = 0, no_calorimeter_hits = 1, truncated = 2, bad_input = 3 };

/// Many events in columns. Hits of event i are rows offsets[i] to offsets[i + 1].
struct Events {
    std::vector<std::string> detectors;       ///< names; `detector` indexes them
    std::vector<std::int64_t> offsets = {0};  ///< [n_events + 1], starting at 0
    std::vector<float> hits;                  ///< [n_hits][6], see hit_features
    std::vector<std::int64_t> detector;       ///< [n_hits]
    std::vector<float> track;                 ///< [n_events][6], see track_features

    std::size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

/// What the network says about each event; NaN where the status is not 0.
struct Scores {
    std::size_t n_classes = 0;
    std::vector<float> logits;       ///< [n_events][n_classes]
    std::vector<float> probability;  ///< [n_events][n_classes], in the order of the classes
    std::vector<float> score;        ///< [n_events], larger is more signal-like
    std::vector<int> status;         ///< [n_events]

    std::size_t size() const { return score.size(); }
};

/// Scores events with an exported network. Threads may share one.
class Scorer {
public:
    /// Open a model file; `micro_batch` events go through the runtime at a time. Throws ConfigError.
    explicit Scorer(const std::string& model, int threads = 1, std::size_t micro_batch = 16)
        : model_(model), micro_batch_(micro_batch), runtime_(model, threads) {
        if (micro_batch < 1) throw ConfigError("micro_batch is 0; at least one event is scored at a time");
        std::string text;
        if (!runtime_.property("na64ml", text)) {
            throw ConfigError(model + ": has no metadata property 'na64ml'; give a file written by 'na64ml export'");
        }
        metadata_ = Metadata::parse(text, model);
        if (std::count(metadata_.inputs.begin(), metadata_.inputs.end(), "variables") > 0) {
            throw ConfigError(model + ": takes analysis variables (input 'variables'), which this library does not compute;"
                                      " score the files with 'na64ml score' and attach the friend tree, or use a network");
        }
        check_tensors(runtime_.input_names(), metadata_.inputs, {"hits", "detector", "event", "track"});
        check_tensors(runtime_.output_names(), metadata_.outputs, {"logits", "probability", "score", "status"});
    }

    const Metadata& metadata() const { return metadata_; }

    /// Check that events of a contract may be scored. Throws ContractError, listing everything that differs.
    void check(const Contract& contract) const {
        std::vector<std::string> fewest;
        for (const auto& known : metadata_.contracts) {
            const auto differences = known.differences(contract);
            if (differences.empty()) return;
            if (fewest.empty() || differences.size() < fewest.size()) fewest = differences;
        }
        throw ContractError(model_ + ": the events do not fit the network (network / events): " + join(fewest, "; ") +
                            ". Give events with these detectors, or use a network trained on such events");
    }

    /// Score events, in order; none is left out. Throws InputError, or ContractError if a detector is not known.
    Scores score(const Events& events) const {
        check_shapes(events);
        const std::vector<std::int64_t> ids = detector_ids(events.detectors);
        const std::size_t n_events = events.size(), n_classes = metadata_.classes.size();
        Scores scores;
        scores.n_classes = n_classes;
        scores.logits.resize(n_events * n_classes);
        scores.probability.resize(n_events * n_classes);
        scores.score.resize(n_events);
        scores.status.resize(n_events);
        std::vector<std::int64_t> detector, event, status;
        for (std::size_t start = 0; start < n_events; start += micro_batch_) {
            const std::size_t stop = std::min(start + micro_batch_, n_events), n = stop - start;
            const std::int64_t first = events.offsets[start], last = events.offsets[stop], n_hits = last - first;
            detector.resize(n_hits);
            event.resize(n_hits);
            status.resize(n);
            for (std::int64_t i = 0; i < n_hits; ++i) detector[i] = ids[events.detector[first + i]];
            for (std::size_t i = start; i < stop; ++i) {
                std::fill(event.begin() + (events.offsets[i] - first), event.begin() + (events.offsets[i + 1] - first),
                          static_cast<std::int64_t>(i - start));
            }
            const auto rows = static_cast<std::int64_t>(n), columns = static_cast<std::int64_t>(n_classes);
            runtime_.run(metadata_.inputs,
                         {Tensor::of(events.hits.data() + first * n_hit_features, {n_hits, n_hit_features}),
                          Tensor::of(detector.data(), {n_hits}), Tensor::of(event.data(), {n_hits}),
                          Tensor::of(events.track.data() + start * n_track_features, {rows, n_track_features})},
                         metadata_.outputs,
                         {Tensor::of(scores.logits.data() + start * n_classes, {rows, columns}),
                          Tensor::of(scores.probability.data() + start * n_classes, {rows, columns}),
                          Tensor::of(scores.score.data() + start, {rows}), Tensor::of(status.data(), {rows})});
            std::copy(status.begin(), status.end(), scores.status.begin() + start);
        }
        return scores;
    }

    /// Threshold of a working point. Throws ConfigError if the file has none of this name.
    double threshold(const std::string& working_point) const {
        std::vector<std::string> names;
        for (const auto& point : metadata_.working_points) {
            if (point.name == working_point) return point.threshold;
            names.push_back(point.name);
        }
        throw ConfigError(model_ + ": has no working point '" + working_point + "'; " +
                          (names.empty() ? std::string("it has none, export it with --working-points")
                                         : "use one of " + join(names)));
    }

    /// Which events are scored and above the threshold of a working point.
    std::vector<bool> passed(const Scores& scores, const std::string& working_point) const {
        const double least = threshold(working_point);
        std::vector<bool> decisions(scores.size());
        for (std::size_t i = 0; i < scores.size(); ++i) {
            decisions[i] = scores.status[i] == Status::scored && scores.score[i] >= least;
        }
        return decisions;
    }

private:
    std::string model_;
    std::size_t micro_batch_;
    Runtime runtime_;
    Metadata metadata_;

    void check_tensors(const std::vector<std::string>& found, const std::vector<std::string>& described,
                       const std::vector<std::string>& needed) const {
        if (found == described && found == needed) return;
        throw ConfigError(model_ + ": has the tensors " + join(found) + ", its metadata describe " + join(described) +
                          ", this library fills " + join(needed) + "; export the network again");
    }

    std::vector<std::int64_t> detector_ids(const std::vector<std::string>& names) const {
        std::vector<std::int64_t> ids;
        std::vector<std::string> unknown;
        for (const auto& name : names) {
            const auto found = std::find(metadata_.detectors.begin(), metadata_.detectors.end(), name);
            ids.push_back(found - metadata_.detectors.begin());
            if (found == metadata_.detectors.end()) unknown.push_back(name);
        }
        if (!unknown.empty()) {
            std::sort(unknown.begin(), unknown.end());
            throw ContractError(model_ + ": does not know detector " + join(unknown) + "; it was trained with " +
                                join(metadata_.detectors) + ". Leave out hits of other detectors");
        }
        return ids;
    }

    static void check_shapes(const Events& events) {
        const auto& offsets = events.offsets;
        if (offsets.empty() || offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end())) {
            throw InputError("events: offsets must start at 0 and not decrease");
        }
        const auto n_hits = static_cast<std::size_t>(offsets.back());
        const auto expect = [&](const char* name, std::size_t found, std::size_t needed) {
            if (found == needed) return;
            throw InputError("events: " + std::to_string(events.size()) + " events and " + std::to_string(n_hits) +
                             " hits need " + std::to_string(needed) + " values in '" + name + "', it has " +
                             std::to_string(found));
        };
        expect("hits", events.hits.size(), n_hits * n_hit_features);
        expect("detector", events.detector.size(), n_hits);
        expect("track", events.track.size(), events.size() * n_track_features);
        const auto n_detectors = static_cast<std::int64_t>(events.detectors.size());
        for (const auto index : events.detector) {
            if (index < 0 || index >= n_detectors) {
                throw InputError("events: 'detector' has the value " + std::to_string(index) + ", there are " +
                                 std::to_string(n_detectors) + " detector names");
            }
        }
    }
};

}  // namespace na64ml
