/* mobilebert_rt: MobileBERT and small BERT encoders on a CPU. The C API, in C11; mobilebert_rt.hpp
 * wraps it for C++.
 *
 *   mbrt_model model;
 *   mbrt_call call;
 *   mbrt_view vector = {sizeof vector};
 *   if (mbrt_model_open("minilm.safetensors", NULL, &model) != MBRT_OK) return fail(mbrt_last_error());
 *   mbrt_call_new(model, &call);
 *   mbrt_call_set_outputs(call, MBRT_EMBEDDING);
 *   mbrt_call_add_text(call, "A cat sleeps.", MBRT_NUL_TERMINATED);
 *   mbrt_call_run(call);
 *   mbrt_call_view(call, MBRT_EMBEDDING, 0, 0, &vector);       vector.data[0 .. vector.columns - 1]
 *   mbrt_call_free(call);
 *   mbrt_model_close(model);
 *
 * Errors. Every function that can fail returns an mbrt_status; mbrt_last_error() has the calling
 * thread's message: what is wrong, where, and how to mend it. After a failure nothing has changed and
 * what would have been written is not, unless the function says otherwise. No C++ exception leaves the
 * library, and it prints nothing, never exits and installs no signal handler. (A mapped model file that
 * somebody truncates while it is open is the one thing it cannot turn into a status: the system then
 * raises SIGBUS. Replace files by renaming, or open them from memory.)
 *
 * Handles are values, not pointers: 0, closed, freed and made-up handles are MBRT_ERROR_HANDLE in every
 * function that takes one. Pointers, by contrast, are trusted to point to what the function says;
 * NULL where it is not allowed is MBRT_ERROR_INPUT.
 *
 * Threads. Every function may be called from any thread. A model is immutable and may be used by any
 * number of threads and calls at once. A call belongs to one thread at a time: a function given a
 * call that is at work on another thread returns MBRT_ERROR_BUSY at once and changes nothing; only
 * mbrt_call_cancel is meant for another thread. Worker threads are started by the first run that wants
 * more than one, shared by the whole process, and sleep between runs. After fork() the child may go on
 * using models and idle calls.
 *
 * Strings are UTF-8. Those that go in are given with their length in bytes, or MBRT_NUL_TERMINATED;
 * invalid UTF-8 in a text is read as U+FFFD. Offsets into texts count bytes. Strings that come out end
 * with a zero byte.
 *
 * Results are float32 and, but for 32-bit ARM, the same bits on every processor and kernel set, with
 * any number of threads, alone or together with other items: those of the Python package.
 *
 * ABI. Structs that may grow begin with struct_size, which the caller sets to sizeof; the library then
 * reads and writes no more than that. Constants are never renumbered and functions never removed within
 * one MBRT_ABI_VERSION. The library is built for one of them: compare mbrt_abi_version() when it is
 * loaded at run time. */
#ifndef MOBILEBERT_RT_H_
#define MOBILEBERT_RT_H_

#include <stddef.h>
#include <stdint.h>

#define MBRT_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define MBRT_ABI_VERSION 1

/* As a length: the string ends at its first zero byte. */
#define MBRT_NUL_TERMINATED ((size_t)-1)

typedef int32_t mbrt_status;
enum {
  MBRT_OK = 0,
  MBRT_ERROR_INPUT = 1,             /* a wrong argument, path, text, token id, mask, size or name */
  MBRT_ERROR_MODEL_FORMAT = 2,      /* a model file that is damaged, inconsistent or not ours */
  MBRT_ERROR_UNSUPPORTED_MODEL = 3, /* a sound model that lacks, or asks for, what is not there */
  MBRT_ERROR_CANCELLED = 4,         /* mbrt_call_cancel stopped the run */
  MBRT_ERROR_TIMEOUT = 5,           /* the run passed its deadline */
  MBRT_ERROR_HANDLE = 6,            /* a handle that is 0, closed, freed or made up */
  MBRT_ERROR_BUSY = 7,              /* the call is at work on another thread */
  MBRT_ERROR_BUFFER = 8,            /* the caller's buffer is too small; the size needed is given */
  MBRT_ERROR_MEMORY = 9,            /* the system gives no more memory */
  MBRT_ERROR_NO_RESULT = 10,        /* the last run did not compute this, or there was none */
  MBRT_ERROR_INTERNAL = 11          /* a defect of the library: please report it */
};

/* Both begin as {0}, which is no handle. Copies are the same handle. */
typedef struct mbrt_model {
  uint64_t id;
} mbrt_model;
typedef struct mbrt_call {
  uint64_t id;
} mbrt_call;

/* ---- The library ---------------------------------------------------------------------------- */

/* MBRT_ABI_VERSION of the library that is running, and its release, as "0.1.0", which lives for ever. */
MBRT_API uint32_t mbrt_abi_version(void);
MBRT_API const char* mbrt_version(void);

/* The message of the calling thread's last failure, "" before the first; valid until its next one.
 * Success does not change it. Never NULL. */
MBRT_API const char* mbrt_last_error(void);

/* The name of a status, as "MBRT_ERROR_INPUT"; "unknown" for any other number. Lives for ever. */
MBRT_API const char* mbrt_status_name(mbrt_status status);

/* The kernel sets that this processor can run, slowest first ("scalar" is always there), as strings
 * that live for ever. count: how many there are, written also when they do not fit in `room` names
 * (MBRT_ERROR_BUFFER). names may be NULL when room is 0. */
MBRT_API mbrt_status mbrt_available_isas(const char** names, size_t room, size_t* count);

/* The one that models are opened with when their options name none: the fastest, or that of the
 * environment variable MBRT_ISA. MBRT_ERROR_INPUT when MBRT_ISA names one that is not available. */
MBRT_API mbrt_status mbrt_default_isa(const char** isa);

/* Threads of a run that sets none: MBRT_NUM_THREADS, else the least of affinity mask, control-group
 * quota and physical cores, read anew each time. MBRT_ERROR_INPUT when MBRT_NUM_THREADS is not a whole
 * number from 1 to 256. */
MBRT_API mbrt_status mbrt_default_threads(size_t* threads);

/* ---- Models --------------------------------------------------------------------------------- */

typedef struct mbrt_model_options {
  size_t struct_size;
  const char* isa; /* a kernel set; NULL: mbrt_default_isa */
} mbrt_model_options;

/* Maps a model file (written by `mbrt convert`) and checks every byte of it; processes that open the
 * same file share one copy. options may be NULL. The file may be deleted or replaced by a rename while
 * the model is open, but not written to.
 * MBRT_ERROR_INPUT: no such file, an unavailable isa. MBRT_ERROR_MODEL_FORMAT,
 * MBRT_ERROR_UNSUPPORTED_MODEL: what the file is. */
MBRT_API mbrt_status mbrt_model_open(const char* path, const mbrt_model_options* options,
                                     mbrt_model* model);

/* The same for the bytes of such a file in the caller's memory. They are used where they lie when they
 * begin on a 64-byte boundary, and must then stay as they are until the model is closed AND its last
 * call freed; otherwise they are copied. release, unless NULL, is called exactly once with context when
 * the bytes are no longer needed, on the thread that gave up the last use of them; also, before this
 * function returns, when they were copied and when opening fails for whatever reason. */
MBRT_API mbrt_status mbrt_model_open_memory(const void* data, size_t size,
                                            void (*release)(void* context), void* context,
                                            const mbrt_model_options* options, mbrt_model* model);

/* Ends the handle. Calls made from it, also one that is running, work on; the memory goes with the last
 * of them. */
MBRT_API mbrt_status mbrt_model_close(mbrt_model model);

typedef int32_t mbrt_precision;
enum { MBRT_FP32 = 0, MBRT_INT8 = 1 };

typedef int32_t mbrt_head;
enum {
  MBRT_HEAD_NONE = 0,
  MBRT_HEAD_MASKED_LM = 1,
  MBRT_HEAD_PRETRAINING = 2, /* masked LM and next sentence */
  MBRT_HEAD_NEXT_SENTENCE = 3,
  MBRT_HEAD_SEQUENCE_CLASSIFICATION = 4,
  MBRT_HEAD_TOKEN_CLASSIFICATION = 5,
  MBRT_HEAD_QUESTION_ANSWERING = 6,
  MBRT_HEAD_MULTIPLE_CHOICE = 7
};

typedef struct mbrt_model_info {
  size_t struct_size;
  mbrt_precision precision;
  mbrt_head head;
  uint32_t outputs;       /* those that the model can give: MBRT_LAST_HIDDEN_STATE | ... */
  int32_t has_tokenizer;  /* 1: it takes texts; 0: token ids only */
  size_t vocab_size;      /* token ids are 0 .. vocab_size - 1 */
  size_t type_vocab_size; /* token types are 0 .. type_vocab_size - 1; only 0 when it is 0 */
  size_t hidden_size;     /* H: columns of hidden states, pooled and embedding */
  size_t num_layers;      /* hidden states are numbered 0 .. num_layers */
  size_t num_heads;
  size_t max_positions;  /* the most tokens of a sequence, special tokens included */
  size_t num_labels;     /* of mbrt_model_label; 0 when the head has none */
  size_t logits_columns; /* labels, or vocab_size of a masked LM; 0 without logits */
  size_t file_bytes;
  size_t
      workspace_bytes; /* memory of idle workspaces kept for the next runs; see mbrt_model_trim */
  const char* isa;     /* the kernel set; lives for ever */
} mbrt_model_info;

/* Fills *info; set info->struct_size first. */
MBRT_API mbrt_status mbrt_model_get_info(mbrt_model model, mbrt_model_info* info);

/* A string of the file's metadata, as "labels" or "vocab.txt" (docs/model_format.md lists them), valid
 * until the model is closed and its last call freed. bytes, its length, may be NULL.
 * MBRT_ERROR_INPUT when the file has no such key. */
MBRT_API mbrt_status mbrt_model_metadata(mbrt_model model, const char* key, const char** value,
                                         size_t* bytes);

/* Name of label `index` (0 .. num_labels - 1), "LABEL_3" where the file gives none; valid as above. */
MBRT_API mbrt_status mbrt_model_label(mbrt_model model, size_t index, const char** label);

/* One token of a text. */
typedef struct mbrt_token {
  int32_t id;
  int32_t type;        /* 0, or 1 in the second text of a pair */
  int32_t part;        /* 0 first text, 1 second, -1 special token */
  int32_t word;        /* number of the word in its part, -1 for special tokens */
  uint32_t begin, end; /* bytes of its part: [begin, end); 0, 0 for special tokens */
} mbrt_token;

/* The tokens of a text, or of a pair when second is not NULL, special tokens included and nothing cut
 * off. count: how many there are, written also when they do not fit in `room` (MBRT_ERROR_BUFFER, and
 * nothing else is written). tokens may be NULL when room is 0. second_bytes is not read without second.
 * MBRT_ERROR_UNSUPPORTED_MODEL when the file holds no tokenizer. */
MBRT_API mbrt_status mbrt_model_tokenize(mbrt_model model, const char* first, size_t first_bytes,
                                         const char* second, size_t second_bytes,
                                         mbrt_token* tokens, size_t room, size_t* count);

/* The vocabulary's spelling of a token id, as "##ing", into room bytes with its zero byte. needed (may
 * be NULL): the bytes it takes, written also with MBRT_ERROR_BUFFER. piece may be NULL when room is 0.
 * MBRT_ERROR_INPUT for an id without a piece. */
MBRT_API mbrt_status mbrt_model_piece(mbrt_model model, int32_t id, char* piece, size_t room,
                                      size_t* needed);

typedef struct mbrt_plan {
  size_t struct_size;
  size_t workspace_bytes; /* working memory of the run; kept for the next ones until trimmed */
  size_t output_bytes;    /* results, kept by the call until it is freed */
} mbrt_plan;

/* What a run over sequences of these lengths (tokens, special tokens included) will allocate, whatever
 * is idle already. threads as in mbrt_call_set_threads; outputs as in mbrt_call_set_outputs. Fills
 * *plan; set plan->struct_size first. Allocates nothing that lasts.
 * MBRT_ERROR_INPUT for a length that the model does not take. */
MBRT_API mbrt_status mbrt_model_plan(mbrt_model model, const size_t* lengths, size_t sequences,
                                     size_t threads, uint32_t outputs, mbrt_plan* plan);

/* Gives the memory of idle workspaces back, freed (may be NULL) bytes; running calls do not notice. */
MBRT_API mbrt_status mbrt_model_trim(mbrt_model model, size_t* freed);

/* ---- Calls: what goes in -------------------------------------------------------------------- */

/* A call holds items (token ids, texts or pairs of texts), settings, and the results of its last run.
 * It keeps the model alive. Used again and again it keeps the memory of its outputs. */
MBRT_API mbrt_status mbrt_call_new(mbrt_model model, mbrt_call* call);

/* Ends the handle and frees items and results. MBRT_ERROR_BUSY while it runs: cancel it and wait for
 * the run to return. */
MBRT_API mbrt_status mbrt_call_free(mbrt_call call);

/* Removes the items, the results and a cancel that no run has met. Settings and memory stay. */
MBRT_API mbrt_status mbrt_call_clear(mbrt_call call);

/* Each of these adds one item, numbered from 0; the call keeps a copy. What is in it is checked by
 * mbrt_call_run.
 *
 * ids: count >= 1 token ids, special tokens included, no padding. types: count token types, or NULL
 * for all 0. key_mask: count bytes, 0 where no token may attend this one, or NULL for none such.
 * text: read with the file's tokenizer. pair: two texts, as [CLS] first [SEP] second [SEP]; for question
 * answering the question and the context. MBRT_ERROR_UNSUPPORTED_MODEL when there is no tokenizer. */
MBRT_API mbrt_status mbrt_call_add_ids(mbrt_call call, const int32_t* ids, const int32_t* types,
                                       const uint8_t* key_mask, size_t count);
MBRT_API mbrt_status mbrt_call_add_text(mbrt_call call, const char* text, size_t bytes);
MBRT_API mbrt_status mbrt_call_add_pair(mbrt_call call, const char* first, size_t first_bytes,
                                        const char* second, size_t second_bytes);

/* ---- Calls: what is wanted ------------------------------------------------------------------ */

/* What a run computes of each item, as a matrix of float32: S tokens of the item, H hidden_size. */
enum {
  MBRT_LAST_HIDDEN_STATE = 1, /* [S][H] */
  MBRT_HIDDEN_STATES = 2,     /* [S][H] for each layer 0 (the embeddings) .. num_layers */
  MBRT_POOLED = 4,            /* [1][H], models with a pooler */
  MBRT_LOGITS = 8,            /* [1][logits_columns] of a sequence's head, else [S][...]; question
                                 answering: column 0 is the start's, 1 the end's */
  MBRT_NEXT_SENTENCE = 16,    /* [1][2], pre-training models */
  MBRT_EMBEDDING = 32 /* [1][H], pooled and normalised as the file's `pooling` says, else the
                                 mean over all tokens, not normalised */
};

/* The outputs of the next runs, ORed; MBRT_LAST_HIDDEN_STATE until it is called. It ends a task.
 * MBRT_ERROR_UNSUPPORTED_MODEL for one that the model cannot give (mbrt_model_info.outputs),
 * MBRT_ERROR_INPUT for none or unknown ones. */
MBRT_API mbrt_status mbrt_call_set_outputs(mbrt_call call, uint32_t outputs);

/* Of one item, the tokens (ascending, inside the item) whose rows of logits are wanted: a masked LM
 * computes a vocabulary's worth for each, so this saves most of the time and memory of its head.
 * MBRT_LOGITS then has `count` rows for the item. Not for heads that give one row an item.
 * count 0: no row at all. */
MBRT_API mbrt_status mbrt_call_set_logit_tokens(mbrt_call call, size_t item, const size_t* tokens,
                                                size_t count);

typedef int32_t mbrt_task;
enum {
  MBRT_TASK_NONE = 0,
  MBRT_TASK_CLASSIFY = 1, /* labels of a text or pair: MBRT_HEAD_SEQUENCE_CLASSIFICATION */
  MBRT_TASK_TAG = 2,      /* entities in a text: MBRT_HEAD_TOKEN_CLASSIFICATION */
  MBRT_TASK_ANSWER = 3,   /* answers of a pair (question, context): MBRT_HEAD_QUESTION_ANSWERING */
  MBRT_TASK_FILL = 4      /* words for the masks of a text: MBRT_HEAD_MASKED_LM, _PRETRAINING */
};

typedef int32_t mbrt_activation;
enum {
  MBRT_ACTIVATION_DEFAULT = 0, /* what the file's problem_type says, else softmax */
  MBRT_ACTIVATION_SOFTMAX = 1,
  MBRT_ACTIVATION_SIGMOID = 2,
  MBRT_ACTIVATION_NONE = 3
};

typedef int32_t mbrt_aggregation;
enum {
  MBRT_AGGREGATION_DEFAULT = 0, /* simple */
  MBRT_AGGREGATION_NONE = 1,    /* every token for itself */
  MBRT_AGGREGATION_SIMPLE = 2,  /* runs of tokens of one label */
  MBRT_AGGREGATION_FIRST = 3,   /* whole words, labelled as their first token */
  MBRT_AGGREGATION_MAX = 4      /* whole words, labelled as their surest token */
};

/* 0 in a field is its default. */
typedef struct mbrt_task_options {
  size_t struct_size;
  size_t top_k; /* the most results of an item (of a mask); classify: all, answer: 1, fill: 5 */
  size_t max_answer_tokens;     /* answer: 30 */
  mbrt_activation activation;   /* classify */
  mbrt_aggregation aggregation; /* tag */
  int32_t allow_no_answer;      /* answer: 1: an empty answer says that the context holds none */
  int32_t allow_part_words;     /* answer: 1: an answer may begin or end inside a word */
  float null_threshold;         /* answer: by how much of a logit "no answer" must beat an answer */
} mbrt_task_options;

/* The next runs do a task instead of computing outputs; all items must then be texts (pairs for
 * MBRT_TASK_ANSWER, either for MBRT_TASK_CLASSIFY). options may be NULL. MBRT_TASK_NONE goes back to
 * the outputs. MBRT_ERROR_UNSUPPORTED_MODEL when the model's head is for something else. */
MBRT_API mbrt_status mbrt_call_set_task(mbrt_call call, mbrt_task task,
                                        const mbrt_task_options* options);

/* At most so many threads in a run, the caller's included: 1 to 256; 0, as it begins:
 * mbrt_default_threads. Results do not depend on it. */
MBRT_API mbrt_status mbrt_call_set_threads(mbrt_call call, size_t threads);

/* From the start of a run to MBRT_ERROR_TIMEOUT, in seconds, 0 or more. It begins as INFINITY: none. */
MBRT_API mbrt_status mbrt_call_set_timeout(mbrt_call call, double seconds);

typedef int32_t mbrt_overflow;
enum {
  MBRT_OVERFLOW_DEFAULT = 0,  /* error; stride for MBRT_TASK_ANSWER */
  MBRT_OVERFLOW_ERROR = 1,    /* MBRT_ERROR_INPUT */
  MBRT_OVERFLOW_TRUNCATE = 2, /* the beginning is read; of a pair, the longer text is cut */
  MBRT_OVERFLOW_STRIDE = 3    /* windows over the text (the second of a pair): for tasks, and for
                                 MBRT_EMBEDDING alone of texts alone */
};

/* Texts of more than max_tokens tokens (special tokens included; at most max_positions; 0: what the
 * file says for embeddings, 384 for answers, else max_positions), and what is done with longer ones.
 * stride: tokens that neighbouring windows share; 0: 64, for answers 128. Items of token ids are never
 * cut. */
MBRT_API mbrt_status mbrt_call_set_limits(mbrt_call call, size_t max_tokens, mbrt_overflow overflow,
                                          size_t stride);

/* ---- Calls: the run ------------------------------------------------------------------------- */

/* Computes what is wanted of all items; returns when it is done. Afterwards the call has the results
 * of this run, or none if it failed; items and settings stay.
 * MBRT_ERROR_INPUT: no items, or what is wrong with which item. MBRT_ERROR_CANCELLED,
 * MBRT_ERROR_TIMEOUT: within the time of one layer (of one text while texts are being read);
 * MBRT_ERROR_MEMORY. After any of them call and model work as before. */
MBRT_API mbrt_status mbrt_call_run(mbrt_call call);

/* From any thread: stops the run that is going on, within the time of one layer, with
 * MBRT_ERROR_CANCELLED; when none is, the next one at its start. Only mbrt_call_clear, or a run that
 * was cancelled, takes it back. Never MBRT_ERROR_BUSY. */
MBRT_API mbrt_status mbrt_call_cancel(mbrt_call call);

/* ---- Calls: what comes out ------------------------------------------------------------------ */

/* Results are owned by the call. Pointers to them are valid until it is cleared, run again or freed;
 * nobody checks that. Items are numbered as they were added. */

typedef struct mbrt_view {
  size_t struct_size;
  const float* data; /* value [r][c] is data[r * stride + c]; NULL when rows is 0 */
  size_t rows, columns;
  size_t stride; /* >= columns; what lies between is unspecified */
} mbrt_view;

/* One output of one item, where it lies; set view->struct_size first. layer: of MBRT_HIDDEN_STATES;
 * 0 for the others. MBRT_ERROR_NO_RESULT when the last run did not compute it, MBRT_ERROR_INPUT for an
 * item or layer that does not exist. */
MBRT_API mbrt_status mbrt_call_view(mbrt_call call, uint32_t output, size_t layer, size_t item,
                                    mbrt_view* view);

/* The same, copied to the caller's [rows][columns] without gaps. room: how many floats fit there.
 * needed (may be NULL): rows * columns, written also with MBRT_ERROR_BUFFER when that is more than
 * room; nothing is copied then. to may be NULL when room is 0. */
MBRT_API mbrt_status mbrt_call_copy(mbrt_call call, uint32_t output, size_t layer, size_t item,
                                    float* to, size_t room, size_t* needed);

/* The tokens that the last run read of a text or pair, one for each row of its hidden states: where
 * each lies in the text. MBRT_ERROR_NO_RESULT for items of token ids, after tasks, and after
 * MBRT_EMBEDDING alone of texts alone. */
MBRT_API mbrt_status mbrt_call_tokens(mbrt_call call, size_t item, const mbrt_token** tokens,
                                      size_t* count);

/* One thing that a task found.
 *            label        text                            begin, end            id           group
 *   classify the label    -                               0, 0                  label index  0
 *   tag      the label    the entity                      bytes of the text     -1           0
 *   answer   ""           the answer, "" for none         bytes of the context  -1           0
 *   fill     the token    the text with this mask filled  0, 0                  token id     mask number
 */
typedef struct mbrt_result {
  size_t struct_size;
  const char* label;
  const char* text; /* text_bytes long, then a zero byte; texts may hold zero bytes themselves */
  size_t text_bytes;
  size_t begin, end;
  size_t group;
  int32_t id;
  float score; /* a probability, or the raw number under MBRT_ACTIVATION_NONE */
} mbrt_result;

/* How many results the last run's task found in an item. */
MBRT_API mbrt_status mbrt_call_result_count(mbrt_call call, size_t item, size_t* count);

/* Result `index` of an item; set result->struct_size first. Classify and answer: best first; tag: in
 * the order of the text; fill: mask by mask, best first. */
MBRT_API mbrt_status mbrt_call_result(mbrt_call call, size_t item, size_t index,
                                      mbrt_result* result);

#ifdef __cplusplus
}
#endif

#endif /* MOBILEBERT_RT_H_ */
