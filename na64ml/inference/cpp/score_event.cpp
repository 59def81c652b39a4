// One event, filled by hand: replace the hits by those of your reconstruction.
//
//     score_event MODEL
#include <cmath>
#include <iostream>

#include "na64ml/scorer.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " MODEL\n";
        return 2;
    }
    try {
        const na64ml::Scorer scorer(argv[1]);
        na64ml::Events events;
        events.detectors = {"ECAL", "HCAL"};
        events.hits = {
            // x, y, z in mm, energy in GeV, time in ns, measured axis
            0.0f,   0.0f,   24.0f,   2.1f,  0.3f, 0,  // event 0: three ECAL cells
            0.0f,   0.0f,   249.0f,  31.0f, 0.1f, 0,  //
            38.2f,  0.0f,   249.0f,  3.2f,  NAN,  0,  // NaN: no time
            -19.1f, -19.1f, 1396.0f, 2.4f,  1.0f, 0,  // event 1: one HCAL cell
        };
        events.detector = {0, 0, 0, 1};  // indices into the names above
        events.offsets = {0, 3, 4, 4};   // event 2 has no hits
        events.track = {
            // p in GeV, theta_x and theta_y in rad, impact point x and y in mm, chi2
            100, 0,   0,   4, 3, 1.1f,  //
            100, NAN, NAN, 4, 3, NAN,   // NaN: not measured
            100, 0,   0,   4, 3, 1.1f,  //
        };
        const na64ml::Scores scores = scorer.score(events);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            std::cout << "event " << i << ": status " << scores.status[i] << ", score " << scores.score[i];
            for (const auto& point : scorer.metadata().working_points) {
                std::cout << ", " << point.name << " " << scorer.passed(scores, point.name)[i];
            }
            std::cout << "\n";
        }
    } catch (const na64ml::Error& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
