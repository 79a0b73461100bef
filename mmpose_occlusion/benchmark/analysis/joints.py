"""What an attack does to each joint: to those it hides, and to the others."""

from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.benchmark.data import Attacked, BenchmarkRun
from mmpose_occlusion.metrics.functional import box_size

from .measures import Judge, Judged


@dataclass(frozen=True)
class JointScores:
    """Some labelled joints of the attacked people.

    Args:
        epe: Mean error in parts of the box's longer side.
        epe_px: Mean error in pixels.
        pck: Part nearer than 0.2 of the box's longer side.
        ks: Part with an own term of OKS of at least 0.5.
        ap: COCO's AP of people who consist of this joint alone.

    What nobody can say is None.
    """

    epe: float | None
    epe_px: float | None
    pck: float | None
    ks: float | None
    ap: float | None = None


@dataclass(frozen=True)
class JointChange:
    """One joint (or all) of the attacked people, hidden or in plain view.

    Args:
        joint: Its name, or ``all``.
        hidden: Whether it was under painted pixels.
        number: How many labelled ones there are.
        clean: Before the attack.
        attacked: Under it.
    """

    joint: str
    hidden: bool
    number: int
    clean: JointScores
    attacked: JointScores


ALL = 'all'


def joint_changes(
    judge: Judge,
    clean: Judged,
    attacked: Judged,
    attack: Attacked,
    who: np.ndarray,
) -> list[JointChange]:
    """Hidden joints against visible ones.

    Args:
        judge: Of the run.
        clean: Without the attack.
        attacked: Under it.
        attack: Says what was hidden.
        who: ``(N,)`` bool, the people who count.
    """
    names = judge.run.joints.names
    views = [clean, attacked]
    values = [view.joint_values() for view in views]
    left = [
        view.left(who) if 'AP' in judge.measures else None for view in views
    ]
    out = []
    for hidden in (True, False):
        mask = judge.labelled & who[:, None]
        mask &= attack.hidden if hidden else ~attack.hidden
        for joint, name in [(None, ALL), *enumerate(names)]:
            chosen = mask
            if joint is not None:
                chosen = np.zeros_like(mask)
                chosen[:, joint] = mask[:, joint]
            scores = []
            for view, value, rows in zip(views, values, left, strict=True):
                ap = None
                if joint is not None and rows is not None and chosen.any():
                    ap, _ = view.joint_precision(joint, mask[:, joint], *rows)
                scores.append(
                    JointScores(
                        epe=_mean(value['EPE'], chosen),
                        epe_px=_mean(value['EPE_px'], chosen),
                        pck=_mean(value['PCK'], chosen),
                        ks=_mean(value['KS'], chosen),
                        ap=ap,
                    )
                )
            out.append(JointChange(name, hidden, int(chosen.sum()), *scores))
    return out


def _mean(values: np.ndarray, mask: np.ndarray) -> float | None:
    return float(values[mask].mean()) if mask.any() else None


def movement(run: BenchmarkRun, attack: Attacked) -> np.ndarray:
    """How far each joint moves under an attack; needs no labels.

    Returns:
        ``(K,)`` mean over the changed crops of the distance between clean
        and attacked joints, in parts of the box's longer side; NaN where no
        crop was changed.
    """
    who = attack.changed
    if not who.any():
        return np.full(len(run.joints.names), np.nan)
    moved = np.linalg.norm(
        np.asarray(attack.predictions.keypoints[who], np.float64)
        - run.clean.keypoints[who],
        axis=-1,
    )
    return (moved / box_size(run.boxes.boxes[who])[:, None]).mean(axis=0)
