#include "binding/log_events.h"

#include <utility>

#include "binding/addon_data.h"
#include "binding/values.h"

namespace trtnode {

LogSink logTo(std::shared_ptr<Dispatcher> dispatcher, uint32_t work) {
  return [dispatcher = std::move(dispatcher), work](LogLevel level, std::string message) {
    dispatcher->post([work, level, message = std::move(message)](Napi::Env env) {
      auto event = Napi::Object::New(env);
      event.Set("type", "log");
      event.Set("level", toJs(env, level));
      event.Set("message", message);
      AddonData::of(env).emit(work, event);
    });
  };
}

}  // namespace trtnode
