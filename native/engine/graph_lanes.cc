#include "engine/graph_lanes.h"

#include <algorithm>
#include <utility>

#include "engine/dims.h"

namespace trtnode {
namespace {

// How many shapes that came once are remembered.
constexpr size_t kMostOnceSeen = 64;

template <class Entry>
bool isOf(Entry const& entry, Call const& call) {
  return entry.profile == call.profile &&
         std::equal(entry.shapes.begin(), entry.shapes.end(), call.inputShapes.begin(), areEqual);
}

}  // namespace

GraphLanes::Lane* GraphLanes::find(Call const& call) {
  auto const found =
      std::find_if(lanes_.begin(), lanes_.end(), [&](Lane const& lane) { return isOf(lane, call); });
  if (found == lanes_.end()) return nullptr;
  lanes_.splice(lanes_.begin(), lanes_, found);
  return &lanes_.front();
}

bool GraphLanes::isWorthIt(Call const& call) {
  if (most_ == 0) return false;
  auto const found = std::find_if(onceSeen_.begin(), onceSeen_.end(),
                                  [&](Shapes const& shapes) { return isOf(shapes, call); });
  if (found != onceSeen_.end()) {
    onceSeen_.erase(found);
    return true;
  }
  if (onceSeen_.size() == kMostOnceSeen) onceSeen_.pop_front();
  onceSeen_.push_back({call.profile, call.inputShapes});
  return false;
}

GraphLanes::Lane& GraphLanes::add(Call const& call, std::unique_ptr<BoundContext> context) {
  if (lanes_.size() == most_) drop(lanes_.back());
  return lanes_.emplace_front(call, std::move(context));
}

void GraphLanes::drop(Lane const& lane) {
  if (lane.graph.has_value()) ++counts_->dropped;
  lanes_.remove_if([&](Lane const& other) { return &other == &lane; });
}

void GraphLanes::forgetPlaces() {
  for (Lane& lane : lanes_) {
    if (lane.graph.has_value()) ++counts_->dropped;
    lane.graph.reset();
    lane.warm = false;
    lane.bound->forgetWhatWasTold();
  }
}

void GraphLanes::clear() {
  while (!lanes_.empty()) drop(lanes_.back());
}

}  // namespace trtnode
