"""bf16 weights for the forward and backward pass, float32 weights for the optimiser."""

from __future__ import annotations

from copy import deepcopy

import torch

from mbrt_train.models import PreTraining


class Working:
    """A copy of a student in bf16. Its gradients are moved to the student, and the student's weights back to it."""

    def __init__(self, student: PreTraining) -> None:
        self.model = deepcopy(student).to(torch.bfloat16)
        self._pairs = list(zip(student.parameters(), self.model.parameters(), strict=True))

    def move_gradients(self) -> None:
        """Give the student the copy's gradients in float32, and clear the copy's."""
        for own, copied in self._pairs:
            own.grad = None if copied.grad is None else copied.grad.float()
            copied.grad = None

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the student's weights that are trained."""
        for own, copied in self._pairs:
            if own.requires_grad:
                copied.copy_(own)
