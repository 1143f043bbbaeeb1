"""From documents per second on one core to machines and cost."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What is given. cores: of a machine; hours: in which the work must be done; price: of a core for one hour."""

    cores: int
    hours: float
    price: float


@dataclass(frozen=True)
class Size:
    """What a number of documents takes. hours: what one machine alone needs; machines: for the hours of the plan."""

    core_hours: float
    hours: float
    machines: int
    cost: float


def size(documents: float, rate: float, plan: Plan) -> Size:
    """rate: documents per second on one core.

    >>> size(36e6, 100, Plan(cores=10, hours=5, price=0.05))
    Size(core_hours=100.0, hours=10.0, machines=2, cost=5.0)
    """
    core_hours = documents / rate / 3600
    hours = core_hours / plan.cores
    return Size(core_hours, hours, math.ceil(hours / plan.hours), core_hours * plan.price)
