#include "capi/tables.h"

#include "base/threads.h"
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

template <typename T>
std::shared_ptr<T> found(HandleTable<T>& table, std::uint64_t id, const char* invalid) {
  std::shared_ptr<T> object = table.find(id);
  if (object == nullptr) throw Failure(MBRT_ERROR_HANDLE, invalid);
  return object;
}

}  // namespace

Tables& Tables::instance() {
  static Tables* const tables = [] {
    auto* made = new Tables;
    at_fork(&lock_all, &unlock_all, &unlock_all);
    return made;
  }();
  return *tables;
}

std::shared_ptr<Model> model_of(mbrt_model handle) {
  return found(Tables::instance().models, handle.id, "invalid model handle");
}

std::shared_ptr<Call> call_of(mbrt_call handle) {
  return found(Tables::instance().calls, handle.id, "invalid call handle");
}

}  // namespace mbrt::capi
