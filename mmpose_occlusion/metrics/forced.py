"""The forced-occlusion comparison: what an attack does to whom it attacks.

Three predictions of every attacked person are compared, and of nobody else:

- *clean*: of the person as it is;
- *forced*: the clean one without the joints that the attack hides, of this
  person alone. It is what a model would say that knows nothing about hidden
  joints and is not disturbed by the occluder elsewhere;
- *attacked*: of the person under attack.

An attacked prediction that is better than the forced one has found hidden
joints by what surrounds them; one that is worse has lost joints that were
in plain view. The reference took the hidden joints of one person from
everybody in the picture (its defect 10).
"""

from dataclasses import asdict, dataclass

import numpy as np

from .functional import PCK_THRESHOLD, joint_errors, oks, pck

NOWHERE = -1e6
"""Coordinate of a joint that was taken away; similar to no truth."""


@dataclass(frozen=True)
class Change:
    """Some joints of the attacked people, clean and under attack.

    Args:
        joints: How many labelled ones there are.
        pck_clean: PCK, see :func:`.functional.pck`.
        pck_attacked: The same under attack.
        error_clean: Median error in parts of the person's size.
        error_attacked: The same under attack.

    What no joint can say is None.
    """

    joints: int
    pck_clean: float | None
    pck_attacked: float | None
    error_clean: float | None
    error_attacked: float | None


@dataclass(frozen=True)
class Comparison:
    """What an attack did to the people whom it attacked.

    Args:
        people: How many with a labelled joint were attacked.
        hidden: Their hidden joints.
        others: Their joints in plain view.
        oks_clean: Mean OKS with the truth of the clean predictions.
        oks_forced: The same without the hidden joints.
        oks_attacked: The same under attack.
        recovered: How much of what hiding takes at most is found again:
            ``(attacked - forced) / (clean - forced)`` of the mean OKS; 1
            for a model that sees through the occluder, 0 for one that knows
            nothing of hidden joints, negative for one that loses others.
    """

    people: int
    hidden: Change
    others: Change
    oks_clean: float | None
    oks_forced: float | None
    oks_attacked: float | None
    recovered: float | None

    def as_dict(self) -> dict:
        """Plain nested dicts."""
        return asdict(self)


def without_hidden(predicted: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The forced prediction.

    Args:
        predicted: ``(..., K, 2)`` clean joints in pixels; not modified.
        hidden: ``(..., K)`` bool, the joints that an attack hides.

    Returns:
        ``(..., K, 2)``, hidden joints :data:`NOWHERE`.
    """
    return np.where(hidden[..., None], NOWHERE, predicted)


def compare(
    clean: np.ndarray,
    attacked: np.ndarray,
    truth: np.ndarray,
    labelled: np.ndarray,
    hidden: np.ndarray,
    changed: np.ndarray,
    sizes: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> Comparison:
    """Compare clean and attacked predictions of the attacked people.

    Args:
        clean: ``(N, K, 2)`` predicted joints in pixels.
        attacked: ``(N, K, 2)`` the same under attack.
        truth: ``(N, K, 2)`` annotated joints in the same pixels.
        labelled: ``(N, K)`` bool.
        hidden: ``(N, K)`` bool, each person's own joints under paint.
        changed: ``(N,)`` bool, who was attacked.
        sizes: ``(N,)`` pixels, see :func:`.functional.box_size`.
        areas: ``(N,)`` square pixels.
        sigmas: ``(K,)`` of the joints.
        threshold: Of PCK.
    """
    who = changed & labelled.any(axis=1)
    clean, attacked, truth, labelled, hidden, sizes, areas = (
        values[who]
        for values in (
            clean,
            attacked,
            truth,
            labelled,
            hidden,
            sizes,
            areas,
        )
    )
    errors = [
        joint_errors(predicted, truth)
        for predicted in (clean, attacked, without_hidden(clean, hidden))
    ]
    before, after, forced = (
        _mean(oks(error, areas, sigmas, labelled)) for error in errors
    )
    recovered = None
    if None not in (before, after, forced) and before != forced:
        recovered = (after - forced) / (before - forced)  # type: ignore
    return Comparison(
        people=int(who.sum()),
        hidden=_change(errors, sizes, labelled & hidden, threshold),
        others=_change(errors, sizes, labelled & ~hidden, threshold),
        oks_clean=before,
        oks_forced=forced,
        oks_attacked=after,
        recovered=recovered,
    )


def _change(
    errors: list[np.ndarray],
    sizes: np.ndarray,
    mask: np.ndarray,
    threshold: float,
) -> Change:
    clean, attacked, _ = errors
    count = int(mask.sum())

    def median(error: np.ndarray) -> float | None:
        if not count:
            return None
        return float(np.median((error / sizes[:, None])[mask]))

    return Change(
        joints=count,
        pck_clean=pck(clean, sizes, mask, threshold),
        pck_attacked=pck(attacked, sizes, mask, threshold),
        error_clean=median(clean),
        error_attacked=median(attacked),
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None
