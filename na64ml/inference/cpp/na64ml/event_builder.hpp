// Filling events hit by hit, in event-loop code.
//
//     na64ml::EventBuilder event(scorer, na64ml::setups::na64e_reference());
//     event.begin(e.run);
//     event.add("ECAL", {depth, x, y}, cell.energy, cell.t0ns());
//     event.end();                                          // ... more events ...
//     na64ml::Scores scores = scorer.score(event.take());  // a few events at a time are fastest
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "scorer.hpp"
#include "setup.hpp"

namespace na64ml {

/// Collects events of one setup. The order in which channels are filled does not matter: hits are put in the order that the
/// reader of the Python package gives them, so that the scores are the same; several hits of one channel stay in the order of
/// filling. Gains and dead channels of the run are applied.
class EventBuilder {
public:
    /// Throws ContractError if the setup does not fit the network.
    EventBuilder(const Scorer& scorer, Setup setup) : setup_(std::move(setup)) {
        events_.detectors = scorer.metadata().detectors;
        scorer.check(setup_.contract(events_.detectors));
        for (const auto& name : events_.detectors) detectors_.push_back(&setup_.detector(name));
    }
    EventBuilder(const EventBuilder&) = delete;
    EventBuilder& operator=(const EventBuilder&) = delete;

    /// Start an event; an unfinished one is discarded. Throws ConfigError if the conditions do not cover the run.
    void begin(long run) {
        conditions_ = &setup_.conditions(run);
        hits_.clear();
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        track_ = {nan, nan, nan, conditions_->impact_x, conditions_->impact_y, nan};
    }

    /// The reconstructed track: GeV, rad, impact point in mm; NaN where not measured. Without it, the impact point is the
    /// mean one of the run.
    void set_track(float p, float theta_x, float theta_y, float x, float y, float chi2) {
        track_ = {p, theta_x, theta_y, x, y, chi2};
    }

    /// Energy in GeV and time in ns (NaN if there is none) of a cell or element.
    void add(const std::string& detector, const std::vector<int>& index, float energy,
             float time = std::numeric_limits<float>::quiet_NaN()) {
        const std::size_t id = find(detector);
        const std::size_t channel = detectors_[id]->channel(index);
        const auto dead = conditions_->dead.find(detector);
        if (dead != conditions_->dead.end() &&
            std::find(dead->second.begin(), dead->second.end(), channel) != dead->second.end()) {
            return;
        }
        const auto gains = conditions_->gains.find(detector);
        const double gain = gains == conditions_->gains.end() ? 1.0 : gains->second[channel];
        const Channel& where = detectors_[id]->channels[channel];
        hits_.push_back({id, channel, {where.x, where.y, where.z, static_cast<float>(energy * gain), time,
                                       static_cast<float>(where.axis)}});
    }

    /// Coordinate in mm that a tracker projection such as "MM5X" measured.
    void add_coordinate(const std::string& detector, const std::string& projection, float value) {
        const std::size_t id = find(detector);
        const std::size_t channel = detectors_[id]->channel(projection);
        const Channel& where = detectors_[id]->channels[channel];
        Hit hit = {id, channel, {where.x, where.y, where.z, 0, std::numeric_limits<float>::quiet_NaN(),
                                 static_cast<float>(where.axis)}};
        hit.features[where.axis == 2 ? 1 : 0] = value;
        hits_.push_back(hit);
    }

    /// Finish the event.
    void end() {
        if (!conditions_) throw InputError("event builder: 'end' without 'begin'");
        std::stable_sort(hits_.begin(), hits_.end(), [](const Hit& a, const Hit& b) {
            return std::make_pair(a.detector, a.channel) < std::make_pair(b.detector, b.channel);
        });
        for (const auto& hit : hits_) {
            events_.detector.push_back(static_cast<std::int64_t>(hit.detector));
            events_.hits.insert(events_.hits.end(), hit.features.begin(), hit.features.end());
        }
        events_.offsets.push_back(static_cast<std::int64_t>(events_.detector.size()));
        events_.track.insert(events_.track.end(), track_.begin(), track_.end());
        conditions_ = nullptr;
    }

    /// Number of finished events.
    std::size_t size() const { return events_.size(); }

    /// Hand over the finished events and start anew.
    Events take() {
        Events taken;
        taken.detectors = events_.detectors;
        std::swap(taken, events_);
        return taken;
    }

private:
    struct Hit {
        std::size_t detector, channel;
        std::array<float, n_hit_features> features;
    };

    Setup setup_;
    std::vector<const Detector*> detectors_;  // of setup_, in the order of the network
    const RunConditions* conditions_ = nullptr;
    std::vector<Hit> hits_;
    std::array<float, n_track_features> track_{};
    Events events_;

    std::size_t find(const std::string& name) const {
        if (!conditions_) throw InputError("event builder: a hit of " + name + " before 'begin'");
        const auto found = std::find(events_.detectors.begin(), events_.detectors.end(), name);
        if (found == events_.detectors.end()) {
            throw ContractError("the network does not know detector " + name + "; it was trained with " +
                                join(events_.detectors) + ". Leave out hits of other detectors");
        }
        return static_cast<std::size_t>(found - events_.detectors.begin());
    }
};

}  // namespace na64ml
