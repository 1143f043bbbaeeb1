// The arithmetic of the tasks: double inside, float out, always in the same order, so that the same
// model and text give the same bits on every machine.
#ifndef MBRT_TASKS_NUMERIC_H_
#define MBRT_TASKS_NUMERIC_H_

#include <cstddef>
#include <vector>

namespace mbrt {

// Sums rows [n][width] over n in halves, in place; the sum is then row 0. n >= 1.
void fold_sum(double* rows, std::size_t n, std::size_t width);

// Divides the row by its Euclidean length; a row of zeros stays zero.
void unit_row(double* row, std::size_t width);

// e^x for x <= 0, error < 1.2 ulp; 0 below -708, where doubles become subnormal.
double exp_negative(double x);

// Over one row; safe for logits of any size.
void softmax(const double* logits, std::size_t width, float* scores);
void softmax(const float* logits, std::size_t width, float* scores);
void softmax(const double* logits, std::size_t width, double* scores);  // may be the same row

double sigmoid(double x);

// The `count` indices of the largest scores, best first (0: all); equal scores in their order.
std::vector<std::size_t> best_indices(const float* scores, std::size_t width, std::size_t count);

}  // namespace mbrt

#endif  // MBRT_TASKS_NUMERIC_H_
