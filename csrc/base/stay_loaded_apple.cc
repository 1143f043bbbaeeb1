// The shared library stays loaded until the process ends: sleeping threads of the pool run its code.
#include <dlfcn.h>

namespace {

[[gnu::constructor]] void stay_loaded() {
  Dl_info found;
  if (dladdr(reinterpret_cast<const void*>(&stay_loaded), &found) != 0) {
    dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

}  // namespace
