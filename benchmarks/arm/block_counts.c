/* A plugin of QEMU's user emulation: executions of each translated block of guest code.
 *
 *   qemu-aarch64 -plugin libblock_counts.so,out=FILE PROGRAM ...
 *
 * FILE gets one line per block, "ADDRESS INSTRUCTIONS EXECUTIONS", the address in hexadecimal; the
 * first line names the format. QEMU translates code on first execution: blocks may overlap, be
 * split at the end of a page, or be translated twice. An execution of a block executes each of its
 * instructions once, so counts.py adds up executions by instruction.
 *
 * The counters are plain additions in the translated code, exact for a program of one thread.
 *
 * Declares the used part of QEMU's plugin interface, version 1 (QEMU 4.2 to 8.2), since Debian has
 * no package with its header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*translated_fn)(qemu_plugin_id_t, struct qemu_plugin_tb*);
typedef void (*exit_fn)(qemu_plugin_id_t, void*);

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_fn);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, enum qemu_plugin_op,
                                                     void* counter, uint64_t addend);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, exit_fn, void* userdata);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

struct block {
  uint64_t address;
  uint64_t instructions;
  uint64_t executions;
  struct block* next;
};

enum { BUCKETS = 1 << 14 };
static struct block* table[BUCKETS];
static char* out_path;

static struct block* find_or_add(uint64_t address, uint64_t instructions) {
  struct block** bucket = &table[(address >> 2) % BUCKETS];
  for (struct block* b = *bucket; b; b = b->next) {
    if (b->address == address && b->instructions == instructions) return b;
  }
  struct block* added = calloc(1, sizeof *added);
  if (!added) abort();
  added->address = address;
  added->instructions = instructions;
  added->next = *bucket;
  *bucket = added;
  return added;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  struct block* b = find_or_add(qemu_plugin_tb_vaddr(tb), qemu_plugin_tb_n_insns(tb));
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->executions, 1);
}

static void write_counts(qemu_plugin_id_t id, void* unused) {
  (void)id;
  (void)unused;
  FILE* out = fopen(out_path, "w");
  if (!out) {
    perror(out_path);
    return;
  }
  fprintf(out, "block_counts 1\n");
  for (int i = 0; i < BUCKETS; i++) {
    for (const struct block* b = table[i]; b; b = b->next) {
      if (!b->executions) continue;
      fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->address, b->instructions,
              b->executions);
    }
  }
  fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc,
                               char** argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0) out_path = strdup(argv[i] + 4);
  }
  if (!out_path) {
    fprintf(stderr,
            "block_counts: missing option out; expected -plugin libblock_counts.so,out=FILE\n");
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, write_counts, NULL);
  return 0;
}
