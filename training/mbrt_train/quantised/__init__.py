"""Quantisation-aware training in the engine's own arithmetic (docs/numerics.md, docs/quantisation.md).

The forward pass gives what the engine will give, integer for integer; gradients are those of the same layers without
rounding, at the rounded values (straight through).
"""
