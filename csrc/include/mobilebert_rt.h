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
 * Errors. Every function that can fail returns an mbrt_status; mbrt_last_error() has the message of the
 * calling thread. A failed function changes and writes nothing, unless its comment says otherwise. The
 * library throws no C++ exception, prints nothing, never exits and installs no signal handler. The one
 * error without a status: the system raises SIGBUS if a mapped model file is truncated while it is open.
 * Replace files by renaming, or open them from memory.
 *
 * Handles are values, not pointers: invalid, closed and freed handles give MBRT_ERROR_HANDLE. Pointers
 * must be valid; NULL where it is not allowed gives MBRT_ERROR_INPUT.
 *
 * Threads. Every function may be called from any thread. A model is immutable; any number of threads and
 * calls may use it at the same time. A call is used by one thread at a time: if another thread is using
 * it, a function returns MBRT_ERROR_BUSY at once; only mbrt_call_cancel is meant for another thread. The
 * first run with more than one thread starts worker threads, which all runs of the process share. After
 * fork() the child may use models and idle calls.
 *
 * Strings are UTF-8. Input strings have a length in bytes, or MBRT_NUL_TERMINATED; invalid UTF-8 in a
 * text is read as U+FFFD. Offsets into texts count bytes. Output strings end with a zero byte.
 *
 * Results are float32, with the same bits as the Python package on every processor and kernel set, with
 * any number of threads, alone or with other items (except on 32-bit ARM).
 *
 * ABI. Structs that may grow begin with struct_size, which the caller sets to sizeof; the library reads
 * and writes no more than that. Within one MBRT_ABI_VERSION no constant is renumbered and no function
 * removed. Compare mbrt_abi_version() when the library is loaded at run time. */
#ifndef MOBILEBERT_RT_H_
#define MOBILEBERT_RT_H_

#include <stddef.h>
#include <stdint.h>

#if !defined(_WIN32)
#define MBRT_API __attribute__((visibility("default")))
#elif defined(MBRT_BUILD)
#define MBRT_API __declspec(dllexport)
#else
#define MBRT_API
#endif

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
  MBRT_ERROR_MODEL_FORMAT = 2,      /* a damaged, inconsistent or foreign model file */
  MBRT_ERROR_UNSUPPORTED_MODEL = 3, /* a valid model that lacks or needs a feature */
  MBRT_ERROR_CANCELLED = 4,         /* mbrt_call_cancel stopped the run */
  MBRT_ERROR_TIMEOUT = 5,           /* the run exceeded its timeout */
  MBRT_ERROR_HANDLE = 6,            /* an invalid, closed or freed handle */
  MBRT_ERROR_BUSY = 7,              /* another thread is using the call */
  MBRT_ERROR_BUFFER = 8,            /* the buffer is too small; the needed size is returned */
  MBRT_ERROR_MEMORY = 9,            /* out of memory */
  MBRT_ERROR_NO_RESULT = 10,        /* no run has computed this */
  MBRT_ERROR_INTERNAL = 11          /* an internal error: please report it */
};

/* Initialise with {0}, which is never valid. A copy is the same handle. */
typedef struct mbrt_model {
  uint64_t id;
} mbrt_model;
typedef struct mbrt_call {
  uint64_t id;
} mbrt_call;

/* ---- The library ---------------------------------------------------------------------------- */

/* MBRT_ABI_VERSION and the release ("0.1.0") of the loaded library. Static strings. */
MBRT_API uint32_t mbrt_abi_version(void);
MBRT_API const char* mbrt_version(void);

/* The calling thread's last error message, valid until its next error; "" before the first. */
MBRT_API const char* mbrt_last_error(void);

/* The name of a status, as "MBRT_ERROR_INPUT"; "unknown" for other numbers. A static string. */
MBRT_API const char* mbrt_status_name(mbrt_status status);

/* The kernel sets that this processor supports, slowest first ("scalar" is always there, in
 * WebAssembly "wasm_simd128"), as static strings. count: their number, also written with
 * MBRT_ERROR_BUFFER, when it is more than capacity. names may be NULL when capacity is 0. */
MBRT_API mbrt_status mbrt_available_isas(const char** names, size_t capacity, size_t* count);

/* The default kernel set: MBRT_ISA, else the fastest. MBRT_ERROR_INPUT when MBRT_ISA is not available. */
MBRT_API mbrt_status mbrt_default_isa(const char** isa);

/* The default number of threads: MBRT_NUM_THREADS, else min(affinity mask, cgroup quota, physical
 * cores), read again each time. MBRT_ERROR_INPUT unless MBRT_NUM_THREADS is an integer from 1 to 256. */
MBRT_API mbrt_status mbrt_default_threads(size_t* threads);

/* ---- Models --------------------------------------------------------------------------------- */

typedef struct mbrt_model_options {
  size_t struct_size;
  const char* isa; /* a kernel set; NULL: mbrt_default_isa */
} mbrt_model_options;

/* Maps a model file (written by `mbrt convert`) and checks every byte; processes that open the same file
 * share one copy. options may be NULL. While the model is open the file may be deleted or replaced by a
 * rename, but not written to. MBRT_ERROR_INPUT for a missing file or an unavailable isa,
 * MBRT_ERROR_MODEL_FORMAT, MBRT_ERROR_UNSUPPORTED_MODEL. */
MBRT_API mbrt_status mbrt_model_open(const char* path, const mbrt_model_options* options,
                                     mbrt_model* model);

/* The same for the bytes of a model file in memory. Bytes aligned to 64 are used in place and must not
 * change until the model is closed AND its last call is freed; others are copied. release, unless NULL,
 * is called exactly once with context when the bytes are no longer needed, on the thread that ended the
 * last use; it is called before this function returns if they were copied or opening failed. */
MBRT_API mbrt_status mbrt_model_open_memory(const void* data, size_t size,
                                            void (*release)(void* context), void* context,
                                            const mbrt_model_options* options, mbrt_model* model);

/* Invalidates the handle. Existing calls keep working; the memory is freed with the last of them. */
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
  uint32_t outputs;       /* available outputs: MBRT_LAST_HIDDEN_STATE | ... */
  int32_t has_tokenizer;  /* 1: accepts texts; 0: token ids only */
  size_t vocab_size;      /* token ids are 0 .. vocab_size - 1 */
  size_t type_vocab_size; /* token types are 0 .. type_vocab_size - 1; if 0, all types are 0 */
  size_t hidden_size;     /* H: columns of hidden states and pooled */
  size_t num_layers;      /* hidden states are numbered 0 .. num_layers */
  size_t num_heads;
  size_t max_positions;  /* max tokens of a sequence, special tokens included */
  size_t num_labels;     /* of mbrt_model_label; 0 when the head has none */
  size_t logits_columns; /* labels, or vocab_size of a masked LM; 0 without logits */
  size_t file_bytes;
  size_t workspace_bytes; /* memory of idle workspaces; see mbrt_model_trim */
  const char* isa;        /* the kernel set; a static string */
  size_t embedding_size;  /* E: columns of an embedding */
} mbrt_model_info;

/* Fills *info; set info->struct_size first. */
MBRT_API mbrt_status mbrt_model_get_info(mbrt_model model, mbrt_model_info* info);

/* A value of the file's metadata, as of "labels" or "vocab.txt" (docs/model_format.md lists the keys);
 * valid until the model is closed and its last call freed. bytes (may be NULL): its length.
 * MBRT_ERROR_INPUT when the file has no such key. */
MBRT_API mbrt_status mbrt_model_metadata(mbrt_model model, const char* key, const char** value,
                                         size_t* bytes);

/* The name of label `index` (0 .. num_labels - 1), "LABEL_3" if the file has none; valid as above. */
MBRT_API mbrt_status mbrt_model_label(mbrt_model model, size_t index, const char** label);

/* One token of a text. */
typedef struct mbrt_token {
  int32_t id;
  int32_t type;        /* 0, or 1 in the second text of a pair */
  int32_t part;        /* 0 first text, 1 second, -1 special token */
  int32_t word;        /* number of the word in its part, -1 for special tokens */
  uint32_t begin, end; /* bytes of its part: [begin, end); 0, 0 for special tokens */
} mbrt_token;

/* The tokens of a text, or of a pair when second is not NULL, with special tokens and without truncation.
 * count: their number, also written with MBRT_ERROR_BUFFER, when it is more than capacity. tokens may be
 * NULL when capacity is 0. MBRT_ERROR_UNSUPPORTED_MODEL when the file has no tokenizer. */
MBRT_API mbrt_status mbrt_model_tokenize(mbrt_model model, const char* first, size_t first_bytes,
                                         const char* second, size_t second_bytes,
                                         mbrt_token* tokens, size_t capacity, size_t* count);

/* The vocabulary's piece of a token id, as "##ing", with a zero byte, into a buffer of `capacity` bytes.
 * needed (may be NULL): its bytes, also written with MBRT_ERROR_BUFFER. piece may be NULL when capacity
 * is 0. MBRT_ERROR_INPUT for an id without a piece. */
MBRT_API mbrt_status mbrt_model_piece(mbrt_model model, int32_t id, char* piece, size_t capacity,
                                      size_t* needed);

typedef struct mbrt_plan {
  size_t struct_size;
  size_t workspace_bytes; /* working memory of the run; kept for the next runs */
  size_t output_bytes;    /* results; kept by the call until it is freed */
} mbrt_plan;

/* The memory that a run over sequences of these lengths (tokens, special tokens included) needs. threads
 * as in mbrt_call_set_threads, outputs as in mbrt_call_set_outputs. Fills *plan; set plan->struct_size
 * first. MBRT_ERROR_INPUT for a length that the model does not accept. */
MBRT_API mbrt_status mbrt_model_plan(mbrt_model model, const size_t* lengths, size_t sequences,
                                     size_t threads, uint32_t outputs, mbrt_plan* plan);

/* Frees idle workspaces, also while calls run. freed (may be NULL): their bytes. */
MBRT_API mbrt_status mbrt_model_trim(mbrt_model model, size_t* freed);

/* ---- Calls: input --------------------------------------------------------------------------- */

/* A call has items (token ids, texts or pairs of texts), settings, and the results of its last run. It
 * keeps the model alive, and the memory of its outputs between runs. */
MBRT_API mbrt_status mbrt_call_new(mbrt_model model, mbrt_call* call);

/* Invalidates the handle; frees items and results. MBRT_ERROR_BUSY while it runs: cancel it first and
 * wait until the run returns. */
MBRT_API mbrt_status mbrt_call_free(mbrt_call call);

/* Removes the items, the results and a pending cancel. Settings and memory stay. */
MBRT_API mbrt_status mbrt_call_clear(mbrt_call call);

/* Each adds a copy of one item; items are numbered from 0. mbrt_call_run checks the contents.
 *
 * ids: count >= 1 token ids, special tokens included, no padding. types: count token types, or NULL:
 * all 0. key_mask: count bytes, 0 for a token that no token may attend to, or NULL: all 1.
 * text: tokenized with the file's tokenizer. pair: two texts, as [CLS] first [SEP] second [SEP]; for
 * question answering question and context. MBRT_ERROR_UNSUPPORTED_MODEL without a tokenizer. */
MBRT_API mbrt_status mbrt_call_add_ids(mbrt_call call, const int32_t* ids, const int32_t* types,
                                       const uint8_t* key_mask, size_t count);
MBRT_API mbrt_status mbrt_call_add_text(mbrt_call call, const char* text, size_t bytes);
MBRT_API mbrt_status mbrt_call_add_pair(mbrt_call call, const char* first, size_t first_bytes,
                                        const char* second, size_t second_bytes);

/* ---- Calls: settings ------------------------------------------------------------------------ */

/* Outputs for each item: float32 matrices. S: tokens of the item, H: hidden_size. */
enum {
  MBRT_LAST_HIDDEN_STATE = 1, /* [S][H] */
  MBRT_HIDDEN_STATES = 2,     /* [S][H] for each layer 0 (the embeddings) .. num_layers */
  MBRT_POOLED = 4,            /* [1][H], models with a pooler */
  MBRT_LOGITS = 8,            /* [1][logits_columns] of a head per sequence, else [S][...]; question
                                 answering: column 0 start, column 1 end */
  MBRT_NEXT_SENTENCE = 16,    /* [1][2], pre-training models */
  MBRT_EMBEDDING = 32 /* [1][E], by the file's `pooling` and `modules`; without them the mean over
                                 all tokens, not normalised. Texts get the prompt, if there is one */
};

/* The outputs of the next runs, ORed; the default is MBRT_LAST_HIDDEN_STATE. Also sets MBRT_TASK_NONE.
 * MBRT_ERROR_UNSUPPORTED_MODEL for an output that the model lacks (mbrt_model_info.outputs),
 * MBRT_ERROR_INPUT for 0 or unknown outputs. */
MBRT_API mbrt_status mbrt_call_set_outputs(mbrt_call call, uint32_t outputs);

/* Computes the logits of an item only for these tokens (ascending, within the item); count may be 0.
 * MBRT_LOGITS then has `count` rows for the item. Saves most of the time and memory of a masked LM head,
 * whose rows are as wide as the vocabulary. Not for heads with one row per item. */
MBRT_API mbrt_status mbrt_call_set_logit_tokens(mbrt_call call, size_t item, const size_t* tokens,
                                                size_t count);

typedef int32_t mbrt_task;
enum {
  MBRT_TASK_NONE = 0,
  MBRT_TASK_CLASSIFY = 1,  /* labels of a text or pair: MBRT_HEAD_SEQUENCE_CLASSIFICATION */
  MBRT_TASK_TAG = 2,       /* entities in a text: MBRT_HEAD_TOKEN_CLASSIFICATION */
  MBRT_TASK_ANSWER = 3,    /* answers of a pair (question, context): MBRT_HEAD_QUESTION_ANSWERING */
  MBRT_TASK_FILL = 4,      /* tokens for the masks of a text: MBRT_HEAD_MASKED_LM, _PRETRAINING */
  MBRT_TASK_ZERO_SHOT = 5, /* the caller's labels of a text: MBRT_HEAD_SEQUENCE_CLASSIFICATION, a
                              model for natural language inference */
  MBRT_TASK_RANK = 6       /* the order of pairs (query, document) by relevance:
                              MBRT_HEAD_SEQUENCE_CLASSIFICATION with one label */
};

typedef int32_t mbrt_activation;
enum {
  MBRT_ACTIVATION_DEFAULT = 0, /* by the file's activation or problem_type, else softmax; of one
                                  label, sigmoid */
  MBRT_ACTIVATION_SOFTMAX = 1,
  MBRT_ACTIVATION_SIGMOID = 2,
  MBRT_ACTIVATION_NONE = 3
};

typedef int32_t mbrt_aggregation;
enum {
  MBRT_AGGREGATION_DEFAULT = 0, /* simple */
  MBRT_AGGREGATION_NONE = 1,    /* every token on its own */
  MBRT_AGGREGATION_SIMPLE = 2,  /* consecutive tokens of one label */
  MBRT_AGGREGATION_FIRST = 3,   /* words, with the label of their first token */
  MBRT_AGGREGATION_MAX = 4,     /* words, with the label of their most confident token */
  MBRT_AGGREGATION_AVERAGE = 5  /* words, with the label of the highest mean over their tokens */
};

/* 0 in a field is its default value. */
typedef struct mbrt_task_options {
  size_t struct_size;
  size_t top_k; /* max results of an item (fill: of a mask; rank: of all items together); answer: 1,
                   fill: 5, else all */
  size_t max_answer_tokens;     /* answer: 15 */
  mbrt_activation activation;   /* classify, rank */
  mbrt_aggregation aggregation; /* tag */
  int32_t allow_no_answer;      /* answer: 1: the answer may be empty, for no answer */
  int32_t allow_part_words;     /* answer: 1: an answer may start or end inside a word */
  float null_threshold;         /* answer: "no answer" is better than an answer when
                                   log(its score / the answer's) exceeds it */

  /* zero-shot: 1: each label has a score of its own, entailment against contradiction; 0: the scores of a
   * text add up to 1. */
  int32_t multi_label;
  const char* hypothesis_template;     /* zero-shot: "This example is {}."; {}: the label */
  const char* const* candidate_labels; /* zero-shot: at least one */
  size_t num_candidate_labels;
  const char* const* targets; /* fill: the only tokens to propose, spelled as in the vocabulary */
  size_t num_targets;
} mbrt_task_options;

/* The next runs do a task instead of computing outputs; all items must be texts (MBRT_TASK_ANSWER, _RANK:
 * pairs; MBRT_TASK_CLASSIFY: either). options, copied, may be NULL. MBRT_TASK_NONE: outputs again.
 * MBRT_ERROR_UNSUPPORTED_MODEL when the model has another head, MBRT_ERROR_INPUT for wrong options. */
MBRT_API mbrt_status mbrt_call_set_task(mbrt_call call, mbrt_task task,
                                        const mbrt_task_options* options);

typedef int32_t mbrt_normalize;
enum {
  MBRT_NORMALIZE_DEFAULT = 0, /* as the file says, before truncate_dim */
  MBRT_NORMALIZE_YES = 1,     /* to length 1, after truncate_dim */
  MBRT_NORMALIZE_NO = 2
};

/* 0 or NULL in a field is the file's value. */
typedef struct mbrt_embedding_options {
  size_t struct_size;
  const char* prompt;      /* put before each text (of a pair, the first) */
  const char* prompt_name; /* one of the file's prompts; unless there is a prompt */
  size_t truncate_dim;     /* only the first dimensions are kept */
  mbrt_normalize normalize;
} mbrt_embedding_options;

/* How the next runs compute MBRT_EMBEDDING. options may be NULL: as the file says. MBRT_ERROR_INPUT for a
 * prompt_name that the file does not have. */
MBRT_API mbrt_status mbrt_call_set_embedding(mbrt_call call, const mbrt_embedding_options* options);

/* Max threads of a run, the caller's included: 1 to 256; 0, the default: mbrt_default_threads. */
MBRT_API mbrt_status mbrt_call_set_threads(mbrt_call call, size_t threads);

/* Seconds from the start of a run to MBRT_ERROR_TIMEOUT, >= 0; the default is INFINITY. */
MBRT_API mbrt_status mbrt_call_set_timeout(mbrt_call call, double seconds);

typedef int32_t mbrt_overflow;
enum {
  MBRT_OVERFLOW_DEFAULT = 0,  /* error; with MBRT_EMBEDDING and for MBRT_TASK_ZERO_SHOT and _RANK
                                 truncate, for MBRT_TASK_ANSWER stride */
  MBRT_OVERFLOW_ERROR = 1,    /* MBRT_ERROR_INPUT */
  MBRT_OVERFLOW_TRUNCATE = 2, /* cut at the end; of a pair, the longer text; never a hypothesis */
  MBRT_OVERFLOW_STRIDE = 3    /* windows over the text (of a pair, the second): for tasks, and when
                                 all items are texts and MBRT_EMBEDDING is the only output */
};

/* max_tokens: of a text, special tokens included, at most max_positions; 0: the file's limit for
 * embeddings, zero-shot and rank, the task's for answers, else max_positions. overflow: what to do with
 * longer texts. stride: tokens that neighbouring windows share; 0: the task's default. Items of token ids
 * are never cut. */
MBRT_API mbrt_status mbrt_call_set_limits(mbrt_call call, size_t max_tokens, mbrt_overflow overflow,
                                          size_t stride);

/* ---- Calls: run ----------------------------------------------------------------------------- */

/* Computes the outputs or the task for all items. Afterwards the call has the results of this run, or
 * none if it failed; items and settings stay. MBRT_ERROR_INPUT: no items, or an invalid item.
 * MBRT_ERROR_CANCELLED, MBRT_ERROR_TIMEOUT: within the time of one layer, or of tokenizing one text.
 * MBRT_ERROR_MEMORY. Call and model remain usable after every error. */
MBRT_API mbrt_status mbrt_call_run(mbrt_call call);

/* From any thread: stops the current run, within the time of one layer, or else the next run at its
 * start, with MBRT_ERROR_CANCELLED. mbrt_call_clear removes a pending cancel. Never MBRT_ERROR_BUSY. */
MBRT_API mbrt_status mbrt_call_cancel(mbrt_call call);

/* ---- Calls: results ------------------------------------------------------------------------- */

/* The call owns its results: pointers to them are valid until it is cleared, run again or freed. */

typedef struct mbrt_view {
  size_t struct_size;
  const float* data; /* value [r][c] is data[r * stride + c]; NULL when rows is 0 */
  size_t rows, columns;
  size_t stride; /* >= columns; the values between are unspecified */
} mbrt_view;

/* A view of one output of one item; set view->struct_size first. layer: for MBRT_HIDDEN_STATES, else 0.
 * MBRT_ERROR_NO_RESULT when the last run did not compute it, MBRT_ERROR_INPUT for a wrong item or layer. */
MBRT_API mbrt_status mbrt_call_view(mbrt_call call, uint32_t output, size_t layer, size_t item,
                                    mbrt_view* view);

/* Copies the same matrix without gaps to a buffer of `capacity` floats. needed (may be NULL): rows *
 * columns, also written with MBRT_ERROR_BUFFER, when it is more than capacity. to may be NULL when
 * capacity is 0. */
MBRT_API mbrt_status mbrt_call_copy(mbrt_call call, uint32_t output, size_t layer, size_t item,
                                    float* to, size_t capacity, size_t* needed);

/* The tokens of a text or pair in the last run, one for each row of its hidden states.
 * MBRT_ERROR_NO_RESULT for items of token ids, after tasks, and when all items were texts and
 * MBRT_EMBEDDING the only output. */
MBRT_API mbrt_status mbrt_call_tokens(mbrt_call call, size_t item, const mbrt_token** tokens,
                                      size_t* count);

/* One result of a task.
 *             label        text                            begin, end            id           group
 *   classify  the label    -                               0, 0                  label index  0
 *   tag       the label    the entity                      bytes of the text     -1           0
 *   answer    ""           the answer, "" for none         bytes of the context  -1           0
 *   fill      the token    the text with this mask filled  0, 0                  token id     mask number
 *   zero-shot the label    -                               0, 0                  label index  0
 *   rank      ""           -                               0, 0                  place        0
 *
 * Place: the number of better items. With a top_k, the items after it have no result. */
typedef struct mbrt_result {
  size_t struct_size;
  const char* label;
  const char* text; /* text_bytes and a zero byte; the text itself may contain zero bytes */
  size_t text_bytes;
  size_t begin, end;
  size_t group;
  int32_t id;
  float score; /* a probability, the logit with MBRT_ACTIVATION_NONE; answer: may exceed 1, as the
                  probabilities of equal texts are added up */
} mbrt_result;

/* The number of results of an item in the last run. */
MBRT_API mbrt_status mbrt_call_result_count(mbrt_call call, size_t item, size_t* count);

/* Result `index` of an item; set result->struct_size first. Best first; tag: in the order of the text;
 * fill: mask by mask, best first. */
MBRT_API mbrt_status mbrt_call_result(mbrt_call call, size_t item, size_t index,
                                      mbrt_result* result);

#ifdef __cplusplus
}
#endif

#endif /* MOBILEBERT_RT_H_ */
