// The score as one more column of an RDataFrame, a cut on it, and a histogram of the events that are left.
//
//     root -l -b -q 'score_tree.C("events.root", "model.onnx", "signal_90", "out.root")'
//
// Run it in the folder that 'na64ml cpp --copy-to FOLDER --setup na64e_reference' wrote: there are the headers, the setup
// and a link to libonnxruntime. Branches and detectors below are those of the embedded sample: put yours in their place.
#include <cmath>
#include <iostream>
#include <memory>

#include <ROOT/RDataFrame.hxx>
#include <TFile.h>
#include <TH1D.h>

#include "na64ml/event_builder.hpp"
#include "na64ml/setup_na64e_reference.hpp"

R__LOAD_LIBRARY(libonnxruntime)

using Floats = ROOT::RVecF;

/// Fills one event: cells with energy, times where there are any, coordinates of the tracker planes.
struct FillAndScore {
    std::shared_ptr<const na64ml::Scorer> scorer;
    std::vector<std::shared_ptr<na64ml::EventBuilder>> builders;  // one for each thread

    FillAndScore(std::shared_ptr<const na64ml::Scorer> shared, unsigned slots) : scorer(shared) {
        for (unsigned slot = 0; slot < slots; ++slot) {
            builders.push_back(std::make_shared<na64ml::EventBuilder>(*scorer, na64ml::setups::na64e_reference()));
        }
    }

    static void add_cells(na64ml::EventBuilder& event, const char* detector, const Floats& energy,
                          const Floats& time = {}) {
        for (int i = 0; i < static_cast<int>(energy.size()); ++i) {
            if (energy[i] == 0) continue;
            const bool timed = !time.empty() && time[i] != -1000;
            event.add(detector, {i}, energy[i], timed ? time[i] : NAN);
        }
    }

    static void add_plane(na64ml::EventBuilder& event, const char* tracker, const char* projection,
                          const Floats& coordinates) {
        for (const float value : coordinates) event.add_coordinate(tracker, projection, value);
    }

    na64ml::Scores operator()(unsigned slot, int run, const Floats& track, const Floats& srd, const Floats& vhcal,
                              const Floats& ecal, const Floats& ecal_t0, const Floats& veto, const Floats& hcal,
                              const Floats& hcal_t0, const Floats& mm5x, const Floats& mm5y, const Floats& mm6x,
                              const Floats& mm6y, const Floats& st5x, const Floats& st5y, const Floats& st3x,
                              const Floats& st3y) {
        na64ml::EventBuilder& event = *builders[slot];
        event.begin(run);
        event.set_track(track[0], track[1], track[2], track[3], track[4], track[5]);
        add_cells(event, "SRD", srd);
        add_cells(event, "VHCAL", vhcal);
        add_cells(event, "ECAL", ecal, ecal_t0);
        add_cells(event, "VETO", veto);
        add_cells(event, "HCAL", hcal, hcal_t0);
        add_plane(event, "MM", "MM5X", mm5x);
        add_plane(event, "MM", "MM5Y", mm5y);
        add_plane(event, "MM", "MM6X", mm6x);
        add_plane(event, "MM", "MM6Y", mm6y);
        add_plane(event, "ST", "ST05X", st5x);
        add_plane(event, "ST", "ST05Y", st5y);
        add_plane(event, "ST", "ST03X", st3x);
        add_plane(event, "ST", "ST03Y", st3y);
        event.end();
        return scorer->score(event.take());
    }
};

void score_tree(const char* events, const char* model, const char* working_point, const char* output) {
    const auto scorer = std::make_shared<const na64ml::Scorer>(model);
    ROOT::RDataFrame tree("tree", events);

    auto scored =
        tree.Define("track", "ROOT::RVecF{track_p, track_thx, track_thy, track_x, track_y, track_chi2}")
            .DefineSlot("scores", FillAndScore(scorer, tree.GetNSlots()),
                        {"run", "track", "SRD_ene", "VHCAL_ene", "ECAL_ene", "ECAL_t0", "VETO_ene", "HCAL_ene", "HCAL_t0",
                         "MM5X", "MM5Y", "MM6X", "MM6Y", "ST05X", "ST05Y", "ST03X", "ST03Y"})
            .Define("score", [](const na64ml::Scores& scores) { return scores.score[0]; }, {"scores"})
            .Define("status", [](const na64ml::Scores& scores) { return scores.status[0]; }, {"scores"})
            .Define("passed",
                    [scorer, working_point](const na64ml::Scores& scores) -> bool {
                        return scorer->passed(scores, working_point)[0];
                    },
                    {"scores"})
            .Define("ecal_energy", [](const Floats& cells) { return ROOT::VecOps::Sum(cells); }, {"ECAL_ene"});
    auto all = scored.Count();
    auto selected = scored.Filter("passed", working_point);
    auto left = selected.Count();
    auto energy = selected.Histo1D({"ecal_energy", "after the score;ECAL energy [GeV];events", 60, 0, 120}, "ecal_energy");
    scored.Snapshot("scores", output, {"run", "spill", "spillevent", "score", "status", "passed"});

    std::unique_ptr<TFile> file(TFile::Open(output, "UPDATE"));
    energy->Write();
    std::cout << *left << " of " << *all << " events pass " << working_point << std::endl;
}
