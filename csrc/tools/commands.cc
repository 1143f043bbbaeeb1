#include "tools/commands.h"

namespace mbrt::tools {

void write_text(JsonWriter& json, const Input& input) {
  json.key("text");
  if (input.second) {
    json.begin_array().string(input.first).string(*input.second).end_array();
  } else {
    json.string(input.first);
  }
}

}  // namespace mbrt::tools
