"""What one attack costs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked

from .attacks import about
from .bootstrap import Estimate, estimate
from .failures import count_kinds, failure_kinds
from .joints import JointChange, joint_changes, movement
from .measures import Judge, change, plain

Estimates = dict[str, Estimate]
"""Measure -> estimate."""


@dataclass(frozen=True)
class Cost:
    """What one attack costs the people whom it attacks.

    Args:
        name: Of the attack.
        suite: That it came from.
        kind: See :class:`.attacks.About`.
        target: See :class:`.attacks.About`.
        paint: See :class:`.attacks.About`.
        place: See :class:`.attacks.About`.
        severity: See :class:`.attacks.About`.
        plain: Whether it hides one target that it names, in a usual size.
        details: Of the suite.
        config: Of the attack.
        crops: N, the boxes.
        changed: Crops that really changed.
        excluded: Crops in which the attack found no place.
        painted: Mean part of a changed crop that was painted.
        people: Attacked people with a labelled joint.
        images: That these are in.
        clean: Measures of the attacked people without the attack.
        attacked: Under it.
        change: Attacked minus clean, paired.
        joints: Hidden and visible joints.
        moved: Joint -> how far it moves, see :func:`.joints.movement`.
        failures: ``hidden`` and ``visible`` -> ``clean`` and ``attacked`` ->
            kind of failure -> number of joints.
    """

    name: str
    suite: str
    kind: str
    target: str
    paint: str
    place: str
    severity: float | None
    plain: bool
    details: dict[str, Any]
    config: Any
    crops: int
    changed: int
    excluded: int
    painted: float | None
    people: int
    images: int
    clean: Estimates
    attacked: Estimates
    change: Estimates
    joints: list[JointChange] = field(repr=False)
    moved: dict[str, float | None] = field(repr=False)
    failures: dict[str, dict[str, dict[str, int]]] = field(repr=False)


def cost(judge: Judge, attack: Attacked) -> Cost:
    """Work out what an attack costs."""
    run = judge.run
    what = about(attack)
    who = attack.changed & judge.labelled.any(axis=1)
    clean = judge.clean(who)
    attacked = judge.attacked(attack, who)
    before, after = judge.of(run.clean), judge.of(attack.predictions)
    mask = judge.labelled & who[:, None]
    codes = [failure_kinds(judge, view) for view in (before, after)]
    width, height = run.crop_size
    return Cost(
        name=attack.name,
        suite=attack.suite,
        kind=what.kind,
        target=what.target,
        paint=what.paint,
        place=what.place,
        severity=what.severity,
        plain=what.is_plain,
        details=dict(attack.details),
        config=attack.config,
        crops=len(run.boxes),
        changed=int(attack.changed.sum()),
        excluded=int(attack.excluded.sum()),
        painted=(
            float(attack.pixels[attack.changed].mean() / width / height)
            if attack.changed.any()
            else None
        ),
        people=len(np.unique(run.boxes.instance_ids[who])),
        images=len(np.unique(run.boxes.image_ids[who])),
        clean=estimates(clean),
        attacked=estimates(attacked),
        change=estimates(change(clean, attacked)),
        joints=joint_changes(judge, before, after, attack, who),
        moved={
            name: plain(value)
            for name, value in zip(
                run.joints.names, movement(run, attack), strict=True
            )
        },
        failures={
            group: {
                view: count_kinds(code, mask & joints)
                for view, code in zip(
                    ('clean', 'attacked'), codes, strict=True
                )
            }
            for group, joints in (
                ('hidden', attack.hidden),
                ('visible', ~attack.hidden),
            )
        },
    )


def estimates(draws: dict[str, np.ndarray]) -> Estimates:
    """Value and interval of each measure."""
    return {name: estimate(values) for name, values in draws.items()}
