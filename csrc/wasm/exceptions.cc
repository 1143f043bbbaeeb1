// The run time of C++ exceptions for WebAssembly, which Debian's libc++abi for wasm32 lacks: the functions
// that compiled throw and catch clauses call (Itanium C++ ABI, exception handling, level II).
//
// Supported: classes with at most one base, caught by reference or by value of the whole class; catch (...);
// std::exception_ptr, thrown again only while no handler holds the exception.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <typeinfo>

#include "wasm/memory.h"

namespace {

// Lies before each exception object.
struct alignas(16) Header {
  const std::type_info* type;
  void* (*destroy)(void*);  // a destructor; in WebAssembly it returns its argument
  std::atomic<int> references;
  int handlers;  // active handlers; negative while the exception is being thrown again
  Header* next;  // the next outer one of the thread's caught exceptions
};

Header* header_of(void* object) { return static_cast<Header*>(object) - 1; }
void* object_of(Header* header) { return header + 1; }

thread_local Header* caught = nullptr;

// For exceptions without memory: that of bad_alloc itself.
constexpr std::size_t kSpareBytes = 256;
constexpr int kSpares = 8;
alignas(16) std::byte spares[kSpares][kSpareBytes];
std::atomic<bool> spare_used[kSpares];

void* take_spare(std::size_t size) {
  for (int i = 0; i < kSpares && size <= kSpareBytes; ++i) {
    if (!spare_used[i].exchange(true)) return spares[i];
  }
  return nullptr;
}

void free_memory(void* memory) {
  for (int i = 0; i < kSpares; ++i) {
    if (memory == spares[i]) {
      spare_used[i].store(false);
      return;
    }
  }
  mbrt::wasm::release(memory);
}

void drop_reference(Header* header) {
  if (header->references.fetch_sub(1) != 1) return;
  if (header->destroy != nullptr) header->destroy(object_of(header));
  free_memory(header);
}

extern "C" const void* const si_class_vtable[] __asm__("_ZTVN10__cxxabiv120__si_class_type_infoE");

// As the ABI lays out the type_info of a class; `base` only in one of __si_class_type_info.
struct ClassTypeInfo {
  const void* vtable;
  const char* name;
  const std::type_info* base;
};

bool is_a(const std::type_info* type, const std::type_info* wanted) {
  while (*type != *wanted) {
    const auto* info = reinterpret_cast<const ClassTypeInfo*>(type);
    if (info->vtable != si_class_vtable + 2) return false;
    type = info->base;
  }
  return true;
}

// A reader of the exception table that the compiler writes for each function.
struct TableReader {
  const std::uint8_t* p;

  std::uint8_t byte() { return *p++; }

  std::uint32_t uleb() {
    std::uint32_t value = 0;
    unsigned shift = 0;
    std::uint8_t next;
    do {
      next = byte();
      if (shift < 32) value |= static_cast<std::uint32_t>(next & 0x7f) << shift;
      shift += 7;
    } while ((next & 0x80) != 0);
    return value;
  }

  std::int32_t sleb() {
    std::uint32_t value = 0;
    unsigned shift = 0;
    std::uint8_t next;
    do {
      next = byte();
      if (shift < 32) value |= static_cast<std::uint32_t>(next & 0x7f) << shift;
      shift += 7;
    } while ((next & 0x80) != 0);
    if ((next & 0x40) != 0 && shift < 32) value |= ~std::uint32_t{0} << shift;
    return static_cast<std::int32_t>(value);
  }
};

}  // namespace

extern "C" {

// What a landing pad hands to the personality function, and the answer.
struct LandingPad {
  std::uintptr_t index, table, selector;
};
thread_local LandingPad __wasm_lpad_context;

// Sets the selector: the number of the catch clause that takes the exception, 0 when none does.
int _Unwind_CallPersonality(void* thrown) {
  LandingPad& pad = __wasm_lpad_context;
  pad.selector = 0;
  if (pad.table == 0) return 0;
  TableReader table{reinterpret_cast<const std::uint8_t*>(pad.table)};
  constexpr std::uint8_t kOmitted = 0xff, kAbsolute = 0x00;
  if (table.byte() != kOmitted) __builtin_trap();  // where landing pads begin: never written
  const std::uint8_t encoding = table.byte();
  const std::type_info* const* types = nullptr;
  if (encoding != kOmitted) {
    if (encoding != kAbsolute) __builtin_trap();
    const std::uint32_t offset = table.uleb();
    types = reinterpret_cast<const std::type_info* const*>(table.p + offset);
  }
  table.byte();  // the encoding of call sites: ULEB128
  const std::uint32_t call_sites = table.uleb();
  const std::uint8_t* const actions = table.p + call_sites;
  std::uint32_t action = 0;
  for (std::uintptr_t i = 0; i <= pad.index; ++i) {
    table.uleb();
    action = table.uleb();
  }
  if (action == 0) return 0;
  for (TableReader next{actions + action - 1};;) {
    const std::int32_t clause = next.sleb();
    const std::type_info* const wanted = clause > 0 ? types[-clause] : nullptr;
    if (clause > 0 && (wanted == nullptr || is_a(header_of(thrown)->type, wanted))) {
      pad.selector = static_cast<std::uintptr_t>(clause);
      return 0;
    }
    const std::uint8_t* const here = next.p;
    const std::int32_t offset = next.sleb();
    if (offset == 0) return 0;
    next.p = here + offset;
  }
}

void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* memory = mbrt::wasm::allocate(sizeof(Header) + size, alignof(Header));
  if (memory == nullptr) memory = take_spare(sizeof(Header) + size);
  if (memory == nullptr) __builtin_trap();
  return object_of(static_cast<Header*>(memory));
}

void __cxa_free_exception(void* object) noexcept { free_memory(header_of(object)); }

[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void* (*destroy)(void*)) {
  new (header_of(object))
      Header{.type = type, .destroy = destroy, .references = 1, .handlers = 0, .next = nullptr};
  __builtin_wasm_throw(0, object);
}

void* __cxa_begin_catch(void* object) noexcept {
  Header* const header = header_of(object);
  header->handlers = header->handlers < 0 ? 1 - header->handlers : header->handlers + 1;
  if (header != caught) {
    header->next = caught;
    caught = header;
  }
  return object;
}

void __cxa_end_catch() {
  Header* const header = caught;
  if (header == nullptr) return;
  if (header->handlers < 0) {  // thrown again: it lives on
    if (++header->handlers == 0) caught = header->next;
  } else if (--header->handlers == 0) {
    caught = header->next;
    drop_reference(header);
  }
}

[[noreturn]] void __cxa_rethrow() {
  Header* const header = caught;
  if (header == nullptr) __builtin_trap();
  header->handlers = -header->handlers;
  __builtin_wasm_throw(0, object_of(header));
}

// std::exception_ptr.

void __cxa_increment_exception_refcount(void* object) noexcept {
  if (object != nullptr) header_of(object)->references.fetch_add(1);
}

void __cxa_decrement_exception_refcount(void* object) noexcept {
  if (object != nullptr) drop_reference(header_of(object));
}

void* __cxa_current_primary_exception() noexcept {
  if (caught == nullptr) return nullptr;
  __cxa_increment_exception_refcount(object_of(caught));
  return object_of(caught);
}

void __cxa_rethrow_primary_exception(void* object) {
  if (object == nullptr) return;
  Header* const header = header_of(object);
  if (header->handlers != 0) __builtin_trap();
  header->references.fetch_add(1);
  __builtin_wasm_throw(0, object);
}

unsigned __cxa_uncaught_exceptions() noexcept { return 0; }  // only asked by destructors of streams

}  // extern "C"
