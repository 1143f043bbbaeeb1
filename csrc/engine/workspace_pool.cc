#include "engine/workspace_pool.h"

#include <utility>

namespace mbrt {

std::unique_ptr<Workspace> WorkspacePool::borrow() {
  Lock lock(mutex_, std::try_to_lock);
  if (!lock || idle_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void WorkspacePool::give_back(std::unique_ptr<Workspace> workspace) {
  Lock lock(mutex_, std::try_to_lock);
  if (lock) idle_.push_back(std::move(workspace));
}

std::size_t WorkspacePool::trim() {
  const std::size_t freed = bytes();
  Lock lock(mutex_, std::try_to_lock);
  if (!lock) return 0;
  idle_.clear();
  return freed;
}

std::size_t WorkspacePool::bytes() const {
  Lock lock(mutex_, std::try_to_lock);
  std::size_t bytes = 0;
  for (std::size_t i = 0; lock && i < idle_.size(); ++i) bytes += idle_[i]->bytes();
  return bytes;
}

}  // namespace mbrt
