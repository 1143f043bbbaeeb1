// paths FOLDER: model files with names in other scripts, and with long ones, are opened; wrong paths return
// a status.
#include <filesystem>
#include <system_error>

#include "support.h"
#include "support/platform.h"

namespace {

namespace fs = std::filesystem;

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

void expect_same_model(const std::string& path, const std::vector<float>& wanted) {
  mbrt_model model{};
  EXPECT_OK(mbrt_model_open(path.c_str(), nullptr, &model));
  EXPECT(same_bits(hidden_of(model, some_ids(9)), wanted));
  EXPECT_OK(mbrt_model_close(model));
}

// Windows' own limit is 260 characters.
void test_names(const char* folder) {
  const mbrt_model model = open_model(folder, "ids-int8");
  const std::vector<float> wanted = hidden_of(model, some_ids(9));
  EXPECT_OK(mbrt_model_close(model));
  const fs::path source = model_path(folder, "ids-int8");
  const fs::path base = fs::absolute(folder) / u8"mod\u00e8le \u6a21\u578b \U0001f422";
  fs::path deep = base;
  for (int i = 0; i < 6; ++i) deep /= std::string(55, static_cast<char>('a' + i));
  fs::create_directories(without_limit(deep));
  for (const fs::path& place : {base, deep}) {
    const fs::path file = place / u8"\u043c\u043e\u0434\u0435\u043b\u044c.safetensors";
    // Neither overwriting nor removing works everywhere in folders this deep (libstdc++ under wine).
    std::error_code ignored;
    fs::remove(without_limit(file), ignored);
    fs::copy_file(source, without_limit(file));
    expect_same_model(utf8(file), wanted);
    expect_same_model(utf8(place / "." / ".." / place.filename() / file.filename()), wanted);
    expect_same_model(utf8(fs::relative(base)) + utf8(file).substr(utf8(base).size()), wanted);
  }
  std::error_code ignored;
  fs::remove_all(without_limit(base), ignored);
}

void test_wrong_paths(const char* folder) {
  mbrt_model model{};
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open("/nowhere/at all", nullptr, &model));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(folder, nullptr, &model));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open("", nullptr, &model));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open("\xff\xfe", nullptr, &model));
  // A long message is cut between two characters.
  std::string longest;
  for (int i = 0; i < 3000; ++i) longest += "\u00e9";
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(longest.c_str(), nullptr, &model));
  const std::string message = mbrt_last_error();
  EXPECT(!message.empty() && message.size() < 3000);
  EXPECT((static_cast<unsigned char>(message.back()) & 0xC0) != 0xC0);
  EXPECT(model.id == 0);
  EXPECT(std::string(mbrt_status_name(12345)) == "unknown");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  test_names(argv[1]);
  test_wrong_paths(argv[1]);
  return report("paths");
}
