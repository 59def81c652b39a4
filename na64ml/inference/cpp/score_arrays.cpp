// Scores events that another program left as raw arrays, and leaves the results beside them.
//
//     score_arrays MODEL FOLDER MICRO_BATCH REPEATS DETECTOR...
//
// reads offsets.i64, detector.i64, hits.f32 and track.f32 of FOLDER, checks nothing but what the scorer checks, and writes
// score.f32, probability.f32, status.i32 and one file NAME.passed of 0 and 1 per working point. With REPEATS above 1 the
// events are scored so many times; the seconds of each are printed.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "na64ml/scorer.hpp"

template <class T>
std::vector<T> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw na64ml::InputError(path + ": no such file");
    std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
    file.seekg(0).read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
    return values;
}

template <class T>
void write(const std::string& path, const std::vector<T>& values) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

int main(int argc, char** argv) {
    if (argc < 5) {
        std::cerr << "usage: " << argv[0] << " MODEL FOLDER MICRO_BATCH REPEATS DETECTOR...\n";
        return 2;
    }
    try {
        const std::string folder = std::string(argv[2]) + "/";
        const na64ml::Scorer scorer(argv[1], 1, std::strtoul(argv[3], nullptr, 10));
        na64ml::Events events;
        events.detectors.assign(argv + 5, argv + argc);
        events.offsets = read<std::int64_t>(folder + "offsets.i64");
        events.detector = read<std::int64_t>(folder + "detector.i64");
        events.hits = read<float>(folder + "hits.f32");
        events.track = read<float>(folder + "track.f32");
        na64ml::Scores scores;
        for (long repeat = std::strtol(argv[4], nullptr, 10); repeat > 0; --repeat) {
            const auto start = std::chrono::steady_clock::now();
            scores = scorer.score(events);
            std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << "\n";
        }
        write(folder + "score.f32", scores.score);
        write(folder + "probability.f32", scores.probability);
        write(folder + "status.i32", scores.status);
        for (const auto& point : scorer.metadata().working_points) {
            const auto passed = scorer.passed(scores, point.name);
            write(folder + point.name + ".passed", std::vector<char>(passed.begin(), passed.end()));
        }
    } catch (const na64ml::Error& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
