// embed_server MODEL: reads texts from standard input, one per line, and answers each with a line of
// JSON: its embedding, or an error. A program that runs it behind a pipe loads the model once. C++17.
//
//   $ printf 'A cat sleeps.\nA kitten naps.\n' | ./embed_server minilm.safetensors
//   {"embedding": [0.0421, ...]}
//   {"embedding": [0.0365, ...]}
#include <cstdio>
#include <exception>
#include <iostream>
#include <mobilebert_rt.hpp>
#include <string>

namespace {

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      (quoted += '\\') += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// Nine digits represent every float exactly.
std::string json_array(const mbrt_view& vector) {
  std::string array = "[";
  for (std::size_t i = 0; i < vector.columns; ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9g", i == 0 ? "" : ", ",
                  static_cast<double>(vector.data[i]));
    array += number;
  }
  return array + "]";
}

std::string answer(mobilebert_rt::Call& call, const std::string& line) {
  try {
    call.clear().add(line).run();
    return "{\"embedding\": " + json_array(call.view(MBRT_EMBEDDING, 0)) + "}";
  } catch (const mobilebert_rt::Error& error) {
    return "{\"error\": " + json_string(error.what()) + "}";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " MODEL.safetensors\n";
    return 2;
  }
  try {
    const auto model = mobilebert_rt::Model::open(argv[1]);
    mobilebert_rt::Call call = model.call();
    call.want(MBRT_EMBEDDING);
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << answer(call, line) << std::endl;  // flushed: the reader waits for it
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
