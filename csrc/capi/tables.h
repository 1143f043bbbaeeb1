// The tables of all handles of the process.
#ifndef MBRT_CAPI_TABLES_H_
#define MBRT_CAPI_TABLES_H_

#include "capi/call.h"
#include "capi/handle_table.h"
#include "capi/model.h"

namespace mbrt::capi {

struct Tables {
  HandleTable<Model> models{1};
  HandleTable<Call> calls{2};

  // Never destroyed: threads may run after main().
  static Tables& instance();
};

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_TABLES_H_
