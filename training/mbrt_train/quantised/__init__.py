"""Quantisation-aware training in the engine's own arithmetic (docs/numerics.md, docs/quantisation.md).

The forward pass computes the engine's results, integer for integer; gradients are those of the same layers without
rounding, at the rounded values (straight-through estimator).
"""
