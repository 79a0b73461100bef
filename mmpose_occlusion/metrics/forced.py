"""The forced-occlusion comparison: what an attack does to whom it attacks.

Three predictions of every attacked person are compared:

- *clean*: without the attack;
- *forced*: the clean one without the joints that the attack hides, the result
  of a model that finds no hidden joint and is not disturbed elsewhere;
- *attacked*: under the attack. Better than forced: hidden joints were inferred
  from their surroundings; worse: visible joints were lost.

The paper's reference code took the hidden joints of one person from all
people in the image (its defect 10).
"""

from dataclasses import dataclass

import numpy as np

from .oks import keypoint_oks, mean_oks
from .pck import (
    BYSTANDER,
    PCK_THRESHOLD,
    TARGET,
    VISIBLE,
    joint_errors,
    joint_groups,
    masked_mean,
    pck,
)

REMOVED = -1e6
"""Coordinate of a joint that was taken away; its per-keypoint OKS is 0."""


@dataclass(frozen=True)
class GroupChange:
    """Labelled joints of one group of the attacked people: their number, and
    PCK (None over no joint) clean and attacked."""

    joints: int
    pck_clean: float | None
    pck_attacked: float | None


@dataclass(frozen=True)
class ForcedComparison:
    """What an attack did to the attacked people with a labelled joint: changes
    by group of joints (see :func:`.pck.joint_groups`), mean OKS of the three
    predictions, and ``recovered``, the fraction of the loss by hidden joints
    that is recovered, ``(attacked - forced) / (clean - forced)``: 1 if all
    hidden joints are found, 0 if none is, negative if visible ones are lost as
    well."""

    people: int
    target: GroupChange
    bystander: GroupChange
    visible: GroupChange
    oks_clean: float | None
    oks_forced: float | None
    oks_attacked: float | None
    recovered: float | None


def without_hidden(predicted: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The forced prediction: clean joints ``(..., K, 2)`` of which those in
    ``hidden`` ``(..., K)``, targets and bystanders, are :data:`REMOVED`."""
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
    predictions = [clean[who], attacked[who]]
    forced = without_hidden(predictions[0], targets | bystanders)
    oks_clean, oks_attacked, oks_forced = (
        masked_mean(
            mean_oks(
                keypoint_oks(found - truth, areas[who], sigmas), labelled
            ),
            np.ones(len(truth), bool),
        )
        for found in (*predictions, forced)
    )
    recovered = None
    if oks_clean is not None and oks_clean != oks_forced:
        gained = oks_attacked - oks_forced  # type: ignore
        recovered = gained / (oks_clean - oks_forced)  # type: ignore
    errors = [joint_errors(found, truth) for found in predictions]
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
        oks_clean=oks_clean,
        oks_forced=oks_forced,
        oks_attacked=oks_attacked,
        recovered=recovered,
    )
