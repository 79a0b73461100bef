"""One number for a suite of attacks with several severities.

Sources: mPC and rPC, Michaelis et al., "Benchmarking robustness in object
detection", 2019; a mean error relative to a reference model, as mCE of
Hendrycks and Dietterich, ICLR 2019.
"""

from collections.abc import Mapping

import numpy as np

Curves = Mapping[str, np.ndarray]
"""Name of a corruption -> (S, 1 + B) measure by severity, of shared draws."""


def mean_performance(curves: Curves) -> np.ndarray:
    """mPC: mean over corruptions of the mean over their severities.

    Returns:
        (1 + B,); NaN where a corruption is undefined.
    """
    return np.mean([curve.mean(axis=0) for curve in curves.values()], axis=0)


def relative_performance(curves: Curves, clean: np.ndarray) -> np.ndarray:
    """rPC: mPC as a fraction of the clean measure.

    Args:
        curves: Under attack.
        clean: (1 + B,).
    """
    mean = mean_performance(curves)
    return np.divide(
        mean, clean, out=np.full(len(mean), np.nan), where=clean > 0
    )


def mean_occlusion_error(curves: Curves, reference: Curves) -> np.ndarray:
    """mOE: mean over corruptions of the error relative to a reference model.

    The error of a corruption is 1 minus the measure, summed over severities.

    Args:
        curves: Of the model.
        reference: Of the reference model, with the same corruptions.

    Returns:
        (1 + B,); 1 is as good as the reference, less is better.

    Raises:
        ValueError: The two have different corruptions.
    """
    if set(curves) != set(reference):
        odd = ', '.join(sorted(set(curves) ^ set(reference)))
        raise ValueError(
            f'mOE needs the same corruptions in both reports, and only one '
            f'has {odd}: run both with the same suite.'
        )
    with np.errstate(invalid='ignore', divide='ignore'):
        ratios = [
            (1 - curve).sum(axis=0) / (1 - reference[name]).sum(axis=0)
            for name, curve in curves.items()
        ]
    return np.mean(ratios, axis=0)


def half_severity(
    severities: np.ndarray, curve: np.ndarray, clean: np.ndarray
) -> np.ndarray:
    """S50: the smallest severity at which half of the clean measure is lost.

    Linear between severities, from the clean measure at severity 0.

    Args:
        severities: (S,) rising, above 0.
        curve: (S, 1 + B).
        clean: (1 + B,).

    Returns:
        (1 + B,); infinite where it is never lost.

    >>> half_severity(np.array([0.1, 0.2]), np.array([[0.6], [0.2]]),
    ...               np.array([0.8])).round(3)
    array([0.15])
    """
    return crossing(severities, curve, clean, clean / 2)


def crossing(
    severities: np.ndarray,
    curve: np.ndarray,
    clean: np.ndarray,
    level: np.ndarray,
) -> np.ndarray:
    """Smallest severity at which a measure has fallen to a level.

    Args:
        severities: (S,) rising, above 0.
        curve: (S, 1 + B).
        clean: (1 + B,), the measure at severity 0.
        level: (1 + B,).

    Returns:
        (1 + B,); infinite where it never does, 0 where the clean measure
        is there already.
    """
    x = np.concatenate([[0.0], severities])
    y = np.concatenate([clean[None], curve])
    out = np.full(y.shape[1], np.inf)
    for i in range(len(x) - 1, 0, -1):
        above, below = y[i - 1], y[i]
        falls = (above > level) & (below <= level)
        with np.errstate(invalid='ignore', divide='ignore'):
            share = (above - level) / (above - below)
        out = np.where(falls, x[i - 1] + share * (x[i] - x[i - 1]), out)
    out = np.where(y[0] <= level, 0, out)
    return np.where(
        np.isfinite(y).all(axis=0) & np.isfinite(level), out, np.nan
    )
