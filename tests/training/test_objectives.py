"""The objectives and their gradients, against formulations written token by token in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
objectives = pytest.importorskip("mbrt_train.objectives")

Tensor = torch.Tensor
B, S, H, A, V, M = 3, 7, 10, 2, 13, 5
BAR = 1e-6
MASK = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 2 + 0.3


def assert_same(ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor], student: Tensor) -> None:
    """Values in float32 and gradients with respect to the student agree with float64's."""
    x, y = student.clone().requires_grad_(), student.double().requires_grad_()
    a, b = ours(x), theirs(y)
    assert abs(a.item() - b.item()) <= BAR * max(1, abs(b.item()))
    (da,), (db,) = torch.autograd.grad(a, x), torch.autograd.grad(b, y)
    assert (da.double() - db).abs().max() <= BAR * max(1, db.abs().max())


def normed(row: Tensor) -> Tensor:
    mean = sum(row) / len(row)
    deviation = (sum((x - mean) ** 2 for x in row) / len(row)) ** 0.5
    return (row - mean) / deviation


def real_tokens() -> list[tuple[int, int]]:
    return [(b, s) for b in range(B) for s in range(S) if MASK[b, s]]


def test_feature_distance_matches_float64() -> None:
    teacher = random(B, S, H, seed=1)

    def second(student: Tensor) -> Tensor:
        rows = [(normed(teacher[i].double()) - normed(student[i])).pow(2).sum() / H for i in real_tokens()]
        return sum(rows, torch.zeros(())) / len(rows)

    assert_same(
        lambda s: objectives.feature_distance(teacher, s, MASK).sum() / MASK.sum(),
        second,
        random(B, S, H, seed=2),
    )


@pytest.mark.parametrize("term", ["mean", "variance"])
def test_feature_statistics_match_float64(term: str) -> None:
    teacher = random(B, S, H, seed=3)

    def statistic(row: Tensor) -> Tensor:
        mean = row.sum() / H
        return mean if term == "mean" else (row * row).sum() / H - mean * mean

    def second(student: Tensor) -> Tensor:
        gaps = [statistic(teacher[i].double()) - statistic(student[i]) for i in real_tokens()]
        return sum((gap * gap if term == "mean" else abs(gap) for gap in gaps), torch.zeros(())) / len(gaps)

    assert_same(
        lambda s: objectives.feature_statistics(teacher, s, MASK)[term == "variance"].sum() / MASK.sum(),
        second,
        random(B, S, H, seed=4),
    )


def test_attention_transfer_is_mean_kl_per_head() -> None:
    lowest = torch.finfo(torch.float32).min
    bias = (1 - MASK[:, None, None, :].float()) * lowest
    teacher = random(B, A, S, S, seed=5) + bias

    def second(student: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for b, i in real_tokens():
            n = int(MASK[b].sum())
            for a in range(A):
                p = torch.softmax(teacher[b, a, i, :n].double(), 0)
                q = student[b, a, i, :n].exp() / student[b, a, i, :n].exp().sum()
                total = total + sum(p[j] * (p[j] / q[j]).log() for j in range(n)) / A
        return total / len(real_tokens())

    assert_same(
        lambda s: objectives.attention_transfer(teacher, s + bias, MASK).sum() / MASK.sum(),
        second,
        random(B, A, S, S, seed=6),
    )


@pytest.mark.parametrize("alpha", [0.5, 1.0, 0.2])
def test_masked_words_mix_label_and_teacher(alpha: float) -> None:
    teacher, labels = random(M, V, seed=7), torch.tensor([0, 3, 12, 3, 7])

    def second(student: Tensor) -> Tensor:
        target = (1 - alpha) * torch.softmax(teacher.double(), -1)
        for m, word in enumerate(labels):
            target[m, word] += alpha
        log_q = student - torch.log(torch.exp(student).sum(-1, keepdim=True))
        return -(target * log_q).sum() / M

    assert_same(lambda s: objectives.masked_words(s, labels, teacher, alpha).sum() / M, second, random(M, V, seed=8))


def test_next_sentence_is_cross_entropy() -> None:
    labels = torch.tensor([1, 0, 1])

    def second(logits: Tensor) -> Tensor:
        signs = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
        return torch.log1p(torch.exp(-signs * (logits[:, 1] - logits[:, 0]))).sum()

    assert_same(lambda s: objectives.next_sentence(s, labels).sum(), second, random(3, 2, seed=9))


def test_cosine_of_pooled_states() -> None:
    teacher = random(B, S, H, seed=10)

    def pooled(states: Tensor) -> list[Tensor]:
        return [sum(states[b, s] for s in range(S) if MASK[b, s]) / int(MASK[b].sum()) for b in range(B)]

    def second(student: Tensor) -> Tensor:
        pairs = zip(pooled(teacher.double()), pooled(student), strict=True)
        return sum((1 - t @ s / (t.norm() * s.norm()) for t, s in pairs), torch.zeros(()))

    def ours(student: Tensor) -> Tensor:
        pool = objectives.mean_pooled
        return objectives.pooled_cosine(pool(teacher, MASK), pool(student, MASK)).sum()

    assert_same(ours, second, random(B, S, H, seed=11))


def test_padding_does_not_count() -> None:
    teacher, student = random(B, S, H, seed=12), random(B, S, H, seed=13)
    dirty = torch.where(MASK[..., None] == 1, student, torch.full_like(student, 1e4))
    for objective in (objectives.feature_distance, objectives.feature_statistics):
        clean, with_rubbish = objective(teacher, student, MASK), objective(teacher, dirty, MASK)
        assert all(torch.equal(a, b) for a, b in zip(clean, with_rubbish, strict=True))


def test_loss_of_a_copy_of_the_teacher_is_zero() -> None:
    states, scores = random(B, S, H, seed=14), random(B, A, S, S, seed=15)
    assert not objectives.feature_distance(states, states, MASK).any()
    assert not any(term.any() for term in objectives.feature_statistics(states, states, MASK))
    assert not objectives.attention_transfer(scores, scores, MASK).any()


def test_bfloat16_losses_are_computed_in_float32() -> None:
    logits = random(M, V, seed=16).bfloat16()
    loss = objectives.masked_words(logits, torch.tensor([0, 1, 2, 3, 4]), None, 1.0)
    assert loss.dtype == torch.float32
    assert math.isclose(loss[0].item(), -logits[0].double().log_softmax(-1)[0].item(), rel_tol=1e-6)
