"""The forced-occlusion comparison: what an attack does to whom it attacks.

Three predictions of every attacked person are compared:

- *clean*: without the attack;
- *forced*: the clean one without the joints that the attack hides. This is
  the result of a model that finds no hidden joint and is not disturbed by
  the occluder elsewhere;
- *attacked*: under the attack.

An attacked prediction that is better than the forced one has inferred hidden
joints from their surroundings; one that is worse has lost visible joints.
The paper's reference code took the hidden joints of one person from all
people in the image (its defect 10).
"""

from dataclasses import dataclass

import numpy as np

from .joint_groups import BYSTANDER, TARGET, VISIBLE, joint_groups
from .oks import keypoint_oks, mean_oks
from .pck import PCK_THRESHOLD, joint_errors, masked_mean, pck

REMOVED = -1e6
"""Coordinate of a joint that was taken away; its per-keypoint OKS is 0."""


@dataclass(frozen=True)
class GroupChange:
    """Labelled joints of one group of the attacked people.

    Args:
        joints: Their number.
        pck_clean: See :func:`.pck.pck`.
        pck_attacked: The same under attack.

    PCK over no joint is None.
    """

    joints: int
    pck_clean: float | None
    pck_attacked: float | None


@dataclass(frozen=True)
class ForcedComparison:
    """What an attack did to the people whom it attacked.

    Args:
        people: Attacked people with a labelled joint.
        target: See :mod:`.joint_groups`.
        bystander: See :mod:`.joint_groups`.
        visible: See :mod:`.joint_groups`.
        oks_clean: Mean OKS of the clean predictions.
        oks_forced: The same of the forced ones.
        oks_attacked: The same of the attacked ones.
        recovered: Fraction of the loss by hidden joints that is recovered,
            ``(attacked - forced) / (clean - forced)`` of the mean OKS:
            1 if all hidden joints are found, 0 if none is, negative if
            visible ones are lost as well.
    """

    people: int
    target: GroupChange
    bystander: GroupChange
    visible: GroupChange
    oks_clean: float | None
    oks_forced: float | None
    oks_attacked: float | None
    recovered: float | None


def without_hidden(predicted: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The forced prediction.

    Args:
        predicted: ``(..., K, 2)`` clean joints, pixels; not modified.
        hidden: ``(..., K)`` bool, targets and bystanders.

    Returns:
        ``(..., K, 2)``, hidden joints :data:`REMOVED`.
    """
    return np.where(hidden[..., None], REMOVED, predicted)


def compare_forced(
    clean: np.ndarray,
    attacked: np.ndarray,
    truth: np.ndarray,
    labelled: np.ndarray,
    targets: np.ndarray,
    bystanders: np.ndarray,
    changed: np.ndarray,
    sizes: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    threshold: float = PCK_THRESHOLD,
) -> ForcedComparison:
    """Compare clean and attacked predictions of the attacked people.

    Args:
        clean: ``(N, K, 2)`` predicted joints, pixels.
        attacked: ``(N, K, 2)`` the same under attack.
        truth: ``(N, K, 2)`` annotated joints in the same frame.
        labelled: ``(N, K)`` bool.
        targets: ``(N, K)`` bool, each person's joints that the attack names
            and hides.
        bystanders: ``(N, K)`` bool, the person's other hidden joints.
        changed: ``(N,)`` bool, people whose image was changed.
        sizes: ``(N,)`` pixels, see :func:`.pck.box_size`.
        areas: ``(N,)`` square pixels.
        sigmas: ``(K,)`` of the keypoints.
        threshold: Of PCK.
    """
    who = changed & labelled.any(axis=1)
    truth, labelled, sizes = truth[who], labelled[who], sizes[who]
    targets, bystanders = targets[who], bystanders[who]
    hidden = targets | bystanders
    predictions = [clean[who], attacked[who]]
    predictions.append(without_hidden(predictions[0], hidden))
    before, after, forced = (
        _mean_oks(found - truth, areas[who], sigmas, labelled)
        for found in predictions
    )
    recovered = None
    if before is not None and before != forced:
        recovered = (after - forced) / (before - forced)  # type: ignore
    errors = [joint_errors(found, truth) for found in predictions[:2]]
    changes = {
        group: GroupChange(
            int((labelled & mask).sum()),
            *(pck(e, sizes, labelled & mask, threshold) for e in errors),
        )
        for group, mask in joint_groups(targets, bystanders).items()
    }
    return ForcedComparison(
        people=int(who.sum()),
        target=changes[TARGET],
        bystander=changes[BYSTANDER],
        visible=changes[VISIBLE],
        oks_clean=before,
        oks_forced=forced,
        oks_attacked=after,
        recovered=recovered,
    )


def _mean_oks(
    offsets: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    labelled: np.ndarray,
) -> float | None:
    oks = mean_oks(keypoint_oks(offsets, areas, sigmas), labelled)
    return masked_mean(oks, np.ones(len(oks), bool))
