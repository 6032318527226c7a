#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/graph.h"
#include "engine/bound_context.h"
#include "engine/call.h"
#include "engine/graph_counts.h"

namespace trtnode {

// The CUDA graphs of one runner: one for each of the shapes that came most recently.
//
// Each has an execution context of its own, which is never told anything else: TensorRT's guide says that a
// graph holds the state of the context that it was captured from, and that launching it after a change of
// that context is undefined. They share the runner's activation memory, as one run is in flight at a time.
//
// A context is worth its making from the second time on that shapes come. That run warms it up, since
// TensorRT does deferred work at the first enqueue; the third one captures, and the fourth only launches.
class GraphLanes {
 public:
  struct Lane {
    Lane(Call const& call, std::unique_ptr<BoundContext> context)
        : profile(call.profile), shapes(call.inputShapes), bound(std::move(context)) {}

    int32_t profile;
    std::vector<nvinfer1::Dims> shapes;
    std::unique_ptr<BoundContext> bound;
    std::optional<Graph> graph;  // destroyed before its context
    bool warm = false;           // has run
    bool capturable = true;      // no capture has failed
  };

  // At most `most` graphs, from 1.
  GraphLanes(size_t most, std::shared_ptr<GraphCounts> counts) : most_(most), counts_(std::move(counts)) {}
  ~GraphLanes() { clear(); }
  GraphLanes(GraphLanes const&) = delete;
  GraphLanes& operator=(GraphLanes const&) = delete;

  // The lane of the call's shapes, which from now on is the most recent; null where there is none.
  Lane* find(Call const& call);
  // Whether such shapes came before, so that a lane is worth it; remembers that they did. Shapes that come
  // once only, as many as there may be, drive out no graph.
  bool isWorthIt(Call const& call);
  // A lane for the call's shapes, in place of the least recent where there are as many as may be.
  Lane& add(Call const& call, std::unique_ptr<BoundContext> context);
  void drop(Lane const& lane);
  void clear();
  // After memory has moved that graphs and contexts know: each begins anew.
  void forgetPlaces();
  // There is no room for another context: what is there stays, and no lane is made any more.
  void close() noexcept { most_ = 0; }

 private:
  struct Shapes {
    int32_t profile;
    std::vector<nvinfer1::Dims> shapes;
  };

  size_t most_;
  std::shared_ptr<GraphCounts> const counts_;
  std::list<Lane> lanes_;        // the most recent first
  std::deque<Shapes> onceSeen_;  // the most recent last
};

}  // namespace trtnode
