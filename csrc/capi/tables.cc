#include "capi/tables.h"

#include <pthread.h>

#include "capi/status.h"

namespace mbrt::capi {
namespace {

void lock_all() {
  Tables::instance().models.lock();
  Tables::instance().calls.lock();
}

void unlock_all() {
  Tables::instance().calls.unlock();
  Tables::instance().models.unlock();
}

}  // namespace

Tables& Tables::instance() {
  static Tables* const tables = [] {
    auto* made = new Tables;
    pthread_atfork(&lock_all, &unlock_all, &unlock_all);
    return made;
  }();
  return *tables;
}

std::shared_ptr<Model> model_of(mbrt_model handle) {
  std::shared_ptr<Model> model = Tables::instance().models.find(handle.id);
  if (model == nullptr) {
    throw Failure(MBRT_ERROR_HANDLE, "invalid model handle");
  }
  return model;
}

std::shared_ptr<Call> call_of(mbrt_call handle) {
  std::shared_ptr<Call> call = Tables::instance().calls.find(handle.id);
  if (call == nullptr) {
    throw Failure(MBRT_ERROR_HANDLE, "invalid call handle");
  }
  return call;
}

}  // namespace mbrt::capi
