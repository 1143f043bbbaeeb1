"""The polynomials of exp.h, exp2.h and gates.h: minimax fits with float coefficients, printed as hex floats.

Remez exchange in 120-bit arithmetic. Then each coefficient in turn, the lowest first, is rounded to
float and the others are fitted again, so that what one loses in rounding the next ones make up for.

    python fit.py        needs mpmath
"""

import struct
from collections.abc import Callable, Sequence

from mpmath import cos, erfc, exp, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.prec = 120
Function = Callable[[mpf], mpf]


def to_float(x: mpf) -> mpf:
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def largest_of_each_sign_run(errors: Sequence[mpf]) -> list[int]:
    """Indices of the extrema of an error curve: the largest |error| between two sign changes."""
    runs = [[0]]
    for i in range(1, len(errors)):
        if (errors[i] > 0) == (errors[i - 1] > 0):
            runs[-1].append(i)
        else:
            runs.append([i])
    return [max(run, key=lambda i: abs(errors[i])) for run in runs]


def minimax(f: Function, weight: Function, powers: Sequence[int], low: mpf, high: mpf) -> list[mpf]:
    """c that minimises the maximum over [low, high] of |weight (f - sum c_i x^powers_i)|."""
    grid = 800
    xs = [low + (high - low) * (1 - cos(pi * i / (grid - 1))) / 2 for i in range(grid)]
    values = [f(x) for x in xs]
    weights = [weight(x) for x in xs]
    n = len(powers)
    points = [i * (grid - 1) // n for i in range(n + 1)]
    for _ in range(40):
        system, right = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for row, i in enumerate(points):
            for column, power in enumerate(powers):
                system[row, column] = xs[i] ** power
            system[row, n] = (-1) ** row / weights[i]
            right[row] = values[i]
        solution = lu_solve(system, right)
        c, level = list(solution[:n]), abs(solution[n])
        errors = [
            w * (v - sum(k * x**p for k, p in zip(c, powers, strict=True)))
            for x, v, w in zip(xs, values, weights, strict=True)
        ]
        points = largest_of_each_sign_run(errors)
        while len(points) > n + 1:  # the smaller end goes
            points.pop(0 if abs(errors[points[0]]) < abs(errors[points[-1]]) else -1)
        if len(points) <= n or max(map(abs, errors)) < level * (1 + mpf(10) ** -4):
            break
    return c


def fit(f: Function, weight: Function, powers: Sequence[int], low: mpf, high: mpf) -> None:
    fixed: dict[int, mpf] = {}

    def remainder(x: mpf) -> mpf:
        return f(x) - sum(c * x**power for power, c in fixed.items())

    for i, power in enumerate(powers):
        fixed[power] = to_float(minimax(remainder, weight, powers[i:], low, high)[0])
    xs = [low + (high - low) * i / 3000 for i in range(3001)]
    print(f"weighted error {mp.nstr(max(abs(weight(x) * remainder(x)) for x in xs), 3)}")
    for power, c in fixed.items():
        print(f"  x^{power:<3} {float(c).hex()}")


def expm1_quotient(r: mpf) -> mpf:
    """(e^r - 1 - r) / r^2."""
    if abs(r) < mpf(10) ** -6:
        return mpf(1) / 2 + r / 6 + r * r / 24
    return (exp(r) - 1 - r) / r**2


def relative_to_exp_and_expm1(r: mpf) -> mpf:
    return r * r / min(exp(r), max(abs(exp(r) - 1), mpf(10) ** -12))


def exp2_past_1(f: mpf) -> mpf:
    """What is left of 2^f for powers 1 and up when x^0 is 1."""
    return mpf(2) ** f - 1


def relative_to_exp2(f: mpf) -> mpf:
    return mpf(2) ** -f


def minus_log_tail(a: mpf) -> mpf:
    """-ln Phi(-a), the normal distribution's upper tail."""
    return -log(erfc(a / sqrt(mpf(2))) / 2)


def minus_log_tail_past_ln2(a: mpf) -> mpf:
    """What is left for powers 1 and up when x^0 is ln 2 as a float."""
    return minus_log_tail(a) - to_float(log(mpf(2)))


def relative_to_tail(a: mpf) -> mpf:
    return 1 / max(mpf(1) / 4, minus_log_tail(a) - mpf(1) / 4)


if __name__ == "__main__":
    half = log(mpf(2)) / 2 * (1 + mpf(2) ** -12)  # n is rounded from an inexact product
    print("exp.h: (e^r - 1 - r) / r^2")
    fit(expm1_quotient, relative_to_exp_and_expm1, range(5), -half, half)
    print("exp2.h: 2^f, with x^0 fixed to 1")
    fit(exp2_past_1, relative_to_exp2, range(1, 5), mpf(-1) / 2, mpf(1) / 2)
    print("gates.h: -ln Phi(-a), with x^0 fixed to ln 2")
    fit(minus_log_tail_past_ln2, relative_to_tail, range(1, 11), mpf(0), mpf("5.5"))
