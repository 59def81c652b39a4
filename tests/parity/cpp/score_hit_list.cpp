// Fills events hit by hit from text and prints status and score of each: score_hit_list MODEL MICRO_BATCH < lines
//
//     begin RUN | track P THX THY X Y CHI2 | hit DETECTOR ENERGY TIME INDEX... | coordinate DETECTOR PROJECTION VALUE | end
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "na64ml/event_builder.hpp"
#include "na64ml/setup_tested.hpp"

// istream does not read "nan"
static float number(std::istream& words) {
    std::string word;
    words >> word;
    return std::strtof(word.c_str(), nullptr);
}

int main(int, char** argv) {
    try {
        const na64ml::Scorer scorer(argv[1]);
        const std::size_t micro_batch = std::strtoul(argv[2], nullptr, 10);
        na64ml::EventBuilder event(scorer, na64ml::setups::tested());
        const auto flush = [&] {
            const na64ml::Scores scores = scorer.score(event.take());
            for (std::size_t i = 0; i < scores.size(); ++i) {
                std::cout << scores.status[i] << " " << std::setprecision(9) << scores.score[i] << "\n";
            }
        };
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string verb, detector, projection;
            words >> verb;
            if (verb == "begin") {
                long run = 0;
                words >> run;
                event.begin(run);
            } else if (verb == "track") {
                float track[6];
                for (float& value : track) value = number(words);
                event.set_track(track[0], track[1], track[2], track[3], track[4], track[5]);
            } else if (verb == "hit") {
                words >> detector;
                const float energy = number(words), time = number(words);
                std::vector<int> index;
                for (int i = 0; words >> i;) index.push_back(i);
                event.add(detector, index, energy, time);
            } else if (verb == "coordinate") {
                words >> detector >> projection;
                event.add_coordinate(detector, projection, number(words));
            } else {
                event.end();
                if (event.size() == micro_batch) flush();
            }
        }
        flush();
    } catch (const na64ml::Error& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
