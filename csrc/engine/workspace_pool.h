// The workspaces of a model that no call uses at the moment.
#ifndef MBRT_ENGINE_WORKSPACE_POOL_H_
#define MBRT_ENGINE_WORKSPACE_POOL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "base/threads.h"
#include "engine/workspace.h"

namespace mbrt {

// The mutex is only tried, never waited for: after fork() a child may find it held by a thread that
// exists only in the parent, and then uses new workspaces.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> borrow();
  void give_back(std::unique_ptr<Workspace> workspace);
  // Frees all of them; returns their bytes.
  std::size_t trim();
  std::size_t bytes() const;

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_WORKSPACE_POOL_H_
