// Kernel calls that were recorded natively (record.py), made again with the kernel sets of a module: every
// output must have the recorded bits, and nothing else may change. Each array of a call ends at the end of
// the module's memory once, where an access after it is a trap.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/kernel_arguments.h"

namespace {

using mbrt::bindings::refuse;

constexpr std::uint8_t kPoison =
    0xff;  // as floats NaN: a value read from between rows changes the result
constexpr std::size_t kPage = 65536, kArenaBytes = 160 * kPage;

struct Array {
  std::size_t item, rows, columns, gap;
  const std::uint8_t *before, *after;
  std::uint8_t* placed = nullptr;

  std::size_t stride() const { return (columns + gap) * item; }
  std::size_t span() const { return rows * stride() - gap * item; }
};

struct Field {
  std::string_view name;
  double number;
  int array;  // an index, -1 for a number
};

struct Call {
  std::string_view operation;
  std::vector<Field> fields;
  std::vector<Array> arrays;
};

class Reader {
 public:
  Reader(const std::uint8_t* p) : p_(p) {}

  template <typename T>
  T value() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  std::string_view text() {
    const auto size = value<std::uint32_t>();
    return {reinterpret_cast<const char*>(take(size)), size};
  }
  const std::uint8_t* take(std::size_t size) {
    const std::uint8_t* const taken = p_;
    p_ += size;
    return taken;
  }

 private:
  const std::uint8_t* p_;
};

Call read_call(const std::uint8_t* record) {
  Reader reader(record);
  Call call;
  call.operation = reader.text();
  call.fields.resize(reader.value<std::uint32_t>());
  for (Field& field : call.fields) {
    field.name = reader.text();
    field.number = reader.value<double>();
    field.array = reader.value<std::int32_t>();
  }
  call.arrays.resize(reader.value<std::uint32_t>());
  for (Array& array : call.arrays) {
    array.item = reader.value<std::uint32_t>();
    array.rows = reader.value<std::uint32_t>();
    array.columns = reader.value<std::uint32_t>();
    array.gap = reader.value<std::uint32_t>();
    const std::size_t bytes = array.rows * array.columns * array.item;
    array.before = reader.take(bytes);
    array.after = reader.take(bytes);
  }
  return call;
}

// For mbrt::bindings::run_kernel.
class Fields {
 public:
  using Shape = std::pair<std::size_t, std::size_t>;
  explicit Fields(const Call& call) : call_(call) {}

  template <typename T>
  Shape matrix(const char* name, T** data, std::size_t* stride, Shape min = {0, 0}) {
    const Array& array = array_of(name, data);
    if (array.rows < min.first || array.columns < min.second) refuse(name, "more values");
    *stride = array.columns + array.gap;
    return {array.rows, array.columns};
  }
  template <typename T>
  void vector(const char* name, T** data, std::size_t min) {
    const Array& array = array_of(name, data);
    if (array.rows * array.columns < min || (array.gap != 0 && array.rows > 1)) {
      refuse(name, "more values");
    }
  }
  bool has(const char* name) const { return find(name) != nullptr; }
  template <typename T = std::size_t>
  T number(const char* name) {
    if (!has(name)) refuse(name, "this field");
    return static_cast<T>(find(name)->number);
  }
  std::size_t positive(const char* name) { return number(name); }
  bool flag(const char* name) { return has(name) && number<int>(name) != 0; }
  void expect_none_left() {}

 private:
  const Field* find(std::string_view name) const {
    for (const Field& field : call_.fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }
  template <typename T>
  const Array& array_of(const char* name, T** data) {
    const Field* const field = find(name);
    if (field == nullptr || field->array < 0) refuse(name, "this array");
    const Array& array = call_.arrays[static_cast<std::size_t>(field->array)];
    if (array.item != sizeof(T)) refuse(name, "values of another size");
    *data = reinterpret_cast<T*>(array.placed);
    return array;
  }

  const Call& call_;
};

std::uint8_t* arena_begin = nullptr;

// The parts of the arena that a call uses: from the begin to used_end, from last_begin to the end.
std::uint8_t *used_end, *last_begin;
constexpr std::size_t kMargin = 256;

// The last array is moved to the end of memory; the others lie before it, 64-byte aligned.
void place(Call& call, std::size_t at_end) {
  if (arena_begin == nullptr) {
    const std::size_t page = __builtin_wasm_memory_grow(0, kArenaBytes / kPage);
    arena_begin = reinterpret_cast<std::uint8_t*>(page * kPage);
  }
  std::uint8_t* const end = arena_begin + kArenaBytes;
  if (reinterpret_cast<std::size_t>(end) != __builtin_wasm_memory_size(0) * kPage) {
    throw mbrt::Error("the memory has grown: the arena does not end at its end any more");
  }
  std::uint8_t* next = arena_begin + kMargin;
  for (std::size_t i = 0; i < call.arrays.size(); ++i) {
    Array& array = call.arrays[i];
    array.placed = i == at_end ? end - array.span() : next;
    if (i != at_end) next += (array.span() + kMargin + 63) / 64 * 64;
  }
  used_end = next;
  last_begin = call.arrays[at_end].placed - kMargin;
  if (used_end > last_begin) throw mbrt::Error("the arena is too small");
  std::memset(arena_begin, kPoison, static_cast<std::size_t>(used_end - arena_begin));
  std::memset(last_begin, kPoison, static_cast<std::size_t>(end - last_begin));
  for (const Array& array : call.arrays) {
    for (std::size_t row = 0; row < array.rows; ++row) {
      const std::size_t bytes = array.columns * array.item;
      std::memcpy(array.placed + row * array.stride(), array.before + row * bytes, bytes);
    }
  }
}

bool is_nan(const std::uint8_t* p) {
  float x;
  std::memcpy(&x, p, sizeof x);
  return x != x;
}

// Any two NaNs are equal: their sign and payload depend on the hardware.
bool same_row(const Array& array, const std::uint8_t* found, const std::uint8_t* expected) {
  for (std::size_t i = 0; i < array.columns * array.item; i += array.item) {
    if (std::memcmp(found + i, expected + i, array.item) == 0) continue;
    if (array.item != sizeof(float) || !is_nan(found + i) || !is_nan(expected + i)) return false;
  }
  return true;
}

// Replaces the rows by poison, after their comparison.
void check(Call& call) {
  for (const Array& array : call.arrays) {
    for (std::size_t row = 0; row < array.rows; ++row) {
      std::uint8_t* const found = array.placed + row * array.stride();
      const std::size_t bytes = array.columns * array.item;
      if (!same_row(array, found, array.after + row * bytes)) {
        throw mbrt::Error("array " + std::to_string(&array - call.arrays.data()) + ", row " +
                          std::to_string(row) + ": other bits than recorded");
      }
      std::memset(found, kPoison, bytes);
    }
  }
  const auto is_poison = [](std::uint8_t byte) { return byte == kPoison; };
  if (!std::all_of(arena_begin, used_end, is_poison) ||
      !std::all_of(last_begin, arena_begin + kArenaBytes, is_poison)) {
    throw mbrt::Error("bytes outside the arrays were written");
  }
}

// The bytes of "a" as the set's kernel takes them: recorded are those of an offset of 0.
void add_offset(Call& call, int offset) {
  static std::uint8_t bytes[1 << 18];  // the memory must not grow
  for (const Field& field : call.fields) {
    if (field.name != "a") continue;
    Array& array = call.arrays[static_cast<std::size_t>(field.array)];
    const std::size_t size = array.rows * array.columns;
    if (size > sizeof bytes) throw mbrt::Error("a: more bytes than there is room for");
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::uint8_t>(array.before[i] + offset);
    }
    array.before = array.after = bytes;
  }
}

std::string message;

}  // namespace

extern "C" {

// The kernel sets that are available, separated by spaces.
__attribute__((export_name("sets"))) const char* sets() {
  message.clear();
  for (const mbrt::KernelSet* set : mbrt::available_kernel_sets()) {
    message += (message.empty() ? "" : " ") + std::string(set->isa);
  }
  return message.c_str();
}

__attribute__((export_name("buffer"))) void* buffer(std::size_t size) { return std::malloc(size); }

// Makes a recorded call with a kernel set, for each of its arrays at the end. An error message, "" if none.
__attribute__((export_name("replay"))) const char* replay(const std::uint8_t* record,
                                                          const char* isa) {
  try {
    Call call = read_call(record);
    const mbrt::KernelSet& set = mbrt::kernel_set(isa);
    message.clear();
    if (call.operation == "gemm_s8") {
      add_offset(call, set.gemm_s8_offset);
    } else if (set.gemm_s8_offset != 0) {
      return message
          .c_str();  // recorded for bytes without an offset; other sets have these functions too
    }
    for (std::size_t at_end = 0; at_end < call.arrays.size(); ++at_end) {
      place(call, at_end);
      Fields fields(call);
      mbrt::bindings::run_kernel(call.operation, set, fields, 1);
      check(call);
    }
  } catch (const std::exception& error) {
    message = error.what();
  }
  return message.c_str();
}

// Reads the first byte after the memory, which is a trap.
__attribute__((export_name("read_after_memory"))) int read_after_memory() {
  return *reinterpret_cast<volatile char*>(__builtin_wasm_memory_size(0) * kPage);
}
}
