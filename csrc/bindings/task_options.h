// The keywords that make a task, read into its options.
#ifndef MBRT_BINDINGS_TASK_OPTIONS_H_
#define MBRT_BINDINGS_TASK_OPTIONS_H_

#include "bindings/keywords.h"
#include "tasks/classifier.h"
#include "tasks/embedder.h"
#include "tasks/question_answerer.h"
#include "tasks/token_classifier.h"

namespace mbrt::bindings {

inline constexpr Choice<OnOverflow> kPolicies[] = {{"error", OnOverflow::kError},
                                                   {"truncate", OnOverflow::kTruncate},
                                                   {"stride", OnOverflow::kStride}};
inline constexpr Choice<ScoreKind> kFunctions[] = {
    {"softmax", ScoreKind::kSoftmax}, {"sigmoid", ScoreKind::kSigmoid}, {"none", ScoreKind::kNone}};
inline constexpr Choice<Aggregation> kAggregations[] = {{"none", Aggregation::kNone},
                                                        {"simple", Aggregation::kSimple},
                                                        {"first", Aggregation::kFirst},
                                                        {"average", Aggregation::kAverage},
                                                        {"max", Aggregation::kMax}};

void read(Keywords& keywords, TaskOptions* options);
void read(Keywords& keywords, EmbedderOptions* options);
void read(Keywords& keywords, ClassifierOptions* options);
void read(Keywords& keywords, TokenClassifierOptions* options);
void read(Keywords& keywords, QuestionAnswererOptions* options);

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_TASK_OPTIONS_H_
