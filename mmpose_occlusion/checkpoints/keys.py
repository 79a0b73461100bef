"""Keys of state dicts: their prefixes, and how sentences list them."""

from collections.abc import Collection, Iterable, Mapping

from torch import Tensor

COUNTER = '.num_batches_tracked'
"""Ending of the keys that count batches: only training reads them."""

PARALLEL = 'module.'
"""Prefix that PyTorch's wrappers for several devices leave."""

FIRST = 3
"""So many keys are named before the rest is counted."""


def without_wrapper(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict of what was wrapped; itself if nothing was."""
    if not all(key.startswith(PARALLEL) for key in state):
        return state
    return {key[len(PARALLEL) :]: value for key, value in state.items()}


def name_first(keys: Collection[str]) -> str:
    """``"a", "b", "c" and 4 more``."""
    named = ', '.join(f'"{key}"' for key in list(keys)[:FIRST])
    rest = len(keys) - FIRST
    return f'{named} and {rest:,} more' if rest > 0 else named


def describe_misfit(
    missing: Collection[str],
    unexpected: Collection[str],
    reshaped: Iterable[tuple[str, tuple, tuple]],
) -> str:
    """Counts and first names of keys that do not fit, as part of a sentence.

    Args:
        missing: Keys that the model has and the checkpoint lacks.
        unexpected: Keys that the checkpoint has and the model lacks.
        reshaped: Key, shape in the checkpoint, shape in the model.
    """
    shapes = [
        f'{key}" {tuple(theirs)} instead of {tuple(ours)}'
        for key, theirs, ours in reshaped
    ]
    parts = []
    if missing:
        parts.append(f'{len(missing):,} missing ({name_first(missing)})')
    if unexpected:
        parts.append(
            f'{len(unexpected):,} unexpected ({name_first(unexpected)})'
        )
    if shapes:
        named = ', '.join(f'"{shape}' for shape in shapes[:FIRST])
        rest = len(shapes) - FIRST
        more = f' and {rest:,} more' if rest > 0 else ''
        parts.append(f'{len(shapes):,} of another shape ({named}{more})')
    return ', '.join(parts)
