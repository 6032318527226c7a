#include "plugins/bench_device.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "cuda/primary_context.h"
#include "cuda/stream.h"

namespace trtnode {
namespace {

constexpr size_t kAlignment = 256;

class Emulated final : public BenchDevice {
 public:
  ~Emulated() override {
    for (void* block : blocks_) std::free(block);
  }
  std::string name() const override { return "emulated"; }
  double peakBandwidth() const override { return 0; }
  void* allocate(size_t bytes) override {
    void* block = nullptr;
    if (posix_memalign(&block, kAlignment, bytes > 0 ? bytes : 1) != 0) throw std::bad_alloc();
    blocks_.push_back(block);
    return block;
  }
  void upload(void* to, void const* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void download(void* to, void const* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void synchronize() override {}
  void* stream() const override { return nullptr; }
  std::vector<float> time(int32_t, std::function<void()> const&) override { return {}; }

 private:
  std::vector<void*> blocks_;
};

// Owns an event.
class Event {
 public:
  explicit Event(CudaDriver const& cuda) : cuda_(cuda) {
    cuda_.check(cuda_.eventCreate(&event_, 0), "cuEventCreate");
  }
  ~Event() { cuda_.eventDestroy(event_); }
  Event(Event const&) = delete;
  Event& operator=(Event const&) = delete;
  void record(CuStream stream) { cuda_.check(cuda_.eventRecord(event_, stream), "cuEventRecord"); }
  float millisecondsSince(Event const& start) const {
    float milliseconds = 0;
    cuda_.check(cuda_.eventElapsedTime(&milliseconds, start.event_, event_), "cuEventElapsedTime");
    return milliseconds;
  }

 private:
  CudaDriver const& cuda_;
  CuEvent event_ = nullptr;
};

class Gpu final : public BenchDevice {
 public:
  explicit Gpu(int32_t ordinal) : context_(ordinal) {
    context_.makeCurrent();
    cuda_.check(cuda_.deviceGet(&device_, ordinal), "cuDeviceGet");
    stream_.emplace(cuda_);
  }
  ~Gpu() override {
    stream_->drain();
    for (CuDevicePtr block : blocks_) cuda_.memFree(block);
    stream_.reset();
  }

  std::string name() const override {
    char name[256] = {};
    cuda_.check(cuda_.deviceGetName(name, sizeof name, device_), "cuDeviceGetName");
    return name;
  }

  double peakBandwidth() const override {
    int kilohertz = 0, bits = 0;
    cuda_.deviceGetAttribute(&kilohertz, kCuAttributeMemoryClockRate, device_);
    cuda_.deviceGetAttribute(&bits, kCuAttributeGlobalMemoryBusWidth, device_);
    // Two transfers a clock: memory of graphics cards is of double data rate, and the rate is the clock's.
    return 2.0 * kilohertz * 1000.0 * bits / 8;
  }

  void* allocate(size_t bytes) override {
    CuDevicePtr block = 0;
    cuda_.check(cuda_.memAlloc(&block, bytes > 0 ? bytes : 1), "cuMemAlloc");
    blocks_.push_back(block);
    return reinterpret_cast<void*>(block);
  }
  void upload(void* to, void const* from, size_t bytes) override {
    if (bytes == 0) return;
    auto const address = reinterpret_cast<CuDevicePtr>(to);
    cuda_.check(cuda_.memcpyHtoDAsync(address, from, bytes, stream_->get()), "cuMemcpyHtoDAsync");
    stream_->synchronize();
  }
  void download(void* to, void const* from, size_t bytes) override {
    if (bytes == 0) return;
    auto const address = reinterpret_cast<CuDevicePtr>(from);
    cuda_.check(cuda_.memcpyDtoHAsync(to, address, bytes, stream_->get()), "cuMemcpyDtoHAsync");
    stream_->synchronize();
  }
  void synchronize() override { stream_->synchronize(); }
  void* stream() const override { return stream_->get(); }

  std::vector<float> time(int32_t count, std::function<void()> const& enqueue) override {
    std::vector<float> milliseconds;
    Event start(cuda_), end(cuda_);
    for (int32_t i = 0; i < count; ++i) {
      start.record(stream_->get());
      enqueue();
      end.record(stream_->get());
      stream_->synchronize();
      milliseconds.push_back(end.millisecondsSince(start));
    }
    return milliseconds;
  }

 private:
  PrimaryContext context_;
  CudaDriver const& cuda_ = context_.cuda();
  CuDevice device_ = 0;
  std::optional<Stream> stream_;
  std::vector<CuDevicePtr> blocks_;
};

}  // namespace

std::unique_ptr<BenchDevice> gpuDevice(int32_t ordinal) {
  return std::make_unique<Gpu>(ordinal);
}

std::unique_ptr<BenchDevice> emulatedDevice() {
  return std::make_unique<Emulated>();
}

}  // namespace trtnode
