// The loop of the documentation, event_loop.inc, on reconstructed events in the shape of p348reco: event_loop MODEL
#include <cstdlib>
#include <iomanip>
#include <iostream>

#include "na64ml/event_builder.hpp"
#include "na64ml/setup_na64e_reference.hpp"

struct Cell {
    float energy = 0;
    bool hasDigit = false;
    float t0ns() const { return 0.5f; }
};

struct RecoEvent {
    int run = 6500;
    Cell ECAL[2][6][6], HCAL[4][3][3], VETO[6];
};

/// Gives events with a shower whose energy grows from one to the next.
struct Manager {
    int n_given = 0;
    bool NextEvent() { return n_given++ < 5; }
};

static RecoEvent RunP348Reco(const Manager& manager) {
    RecoEvent e;
    const auto shower = static_cast<float>(10 * manager.n_given);
    e.ECAL[0][3][3] = {0.1f * shower, true};
    e.ECAL[1][3][3] = {shower, true};
    e.ECAL[1][3][2] = {0.05f * shower, true};
    e.HCAL[0][1][1] = {2, true};
    return e;
}

static void use(const RecoEvent& e, float score) {
    std::cout << e.ECAL[1][3][3].energy << " " << std::setprecision(9) << score << "\n";
}

int main(int, char** argv) {
    const std::string model = argv[1];
    Manager manager;
#include "event_loop.inc"
}
