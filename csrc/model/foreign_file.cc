#include "model/foreign_file.h"

#include <cstddef>
#include <cstdint>

namespace mbrt {
namespace {

constexpr char kDownload[] = "Download the file itself, or write it with `mbrt convert`.";
constexpr char kConvert[] =
    "Convert the folder that it comes from: `mbrt convert FOLDER model.safetensors`.";

constexpr ForeignFile kFiles[] = {
    {"an empty file", kDownload},
    {"a Git LFS pointer", "Fetch the file itself: run `git lfs pull` in its folder."},
    {"a web page", kDownload},
    {"a TensorFlow Lite model", kConvert},
    {"a GGUF model", kConvert},
    {"an HDF5 file, as TensorFlow writes", kConvert},
    {"a zip file, as torch.save writes", kConvert},
    {"a pickle file", kConvert},
    {"a TensorFlow SavedModel", kConvert},
    {"an ONNX model", kConvert},
    {"a TensorFlow checkpoint", kConvert},
};

// Bytes at an offset, which counts from the end where it is negative, and the file's index above.
struct Magic {
  std::int8_t offset;
  std::uint8_t file;
  char bytes[18];  // up to a zero byte
};

constexpr Magic kMagics[] = {
    {0, 1, "version https://g"},
    {0, 2, "<!DOCTYPE"},
    {0, 2, "<!doctype"},
    {0, 2, "<html"},
    {0, 2, "<?xml"},
    {4, 3, "TFL3"},
    {0, 4, "GGUF"},
    {0, 5, "\x89HDF\r\n"},
    {0, 6, "PK\3\4"},
    {0, 7, "\x80\2"},
    {0, 7, "\x80\3"},
    {0, 7, "\x80\4"},
    {0, 7, "\x80\5"},
    {0, 8, "\x08\1\x12"},
    {-8, 10, "\x57\xfb\x80\x8b\x24\x75\x47\xdb"},  // the end of a table, such as model.ckpt.index
};

// A protocol buffer that begins with a version below 32, then has a string or the graph.
bool is_onnx(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 8 && bytes[1] > 1 && bytes[1] < 32 &&
         std::string_view("\x12\x1a\x22\x32\x3a\x42").find(bytes[2]) != std::string_view::npos;
}

}  // namespace

const ForeignFile* foreign_file(std::string_view bytes) {
  if (bytes.empty()) return &kFiles[0];
  for (const Magic& magic : kMagics) {
    const std::string_view expected = magic.bytes;
    const std::size_t offset =
        static_cast<std::size_t>(magic.offset) + (magic.offset < 0 ? bytes.size() : 0);
    if (offset < bytes.size() && bytes.substr(offset).starts_with(expected)) {
      return &kFiles[magic.file];
    }
  }
  return is_onnx(bytes) ? &kFiles[9] : nullptr;
}

}  // namespace mbrt
