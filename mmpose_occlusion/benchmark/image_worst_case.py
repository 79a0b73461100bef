"""The place on each person where an occluder of a given size hurts most.

The candidates are the points of a grid on the person's pixels, and the
person's joints; then the best one is moved in steps that are halved. The
objective is the person's OKS over all labelled joints, hidden ones included:
its fall, clean minus occluded, is the loss.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.oks import keypoint_oks, mean_oks
from mmpose_occlusion.occlusion.regions import DiscSize, Point
from mmpose_occlusion.skeleton import Skeleton

from .annotation_fields import read_json
from .effects import BlockArrays
from .image_attacks import PLACED, PersonSurroundings
from .image_loop import ImageLoop, LoadedImage, Pass
from .image_people import ImagePeople
from .store import CLEAN, BlockResult
from .suite import SuiteAttack, load_suites
from .work import Work

OBJECTIVE = 'fall of OKS, mean over the labelled joints of a person'

GRID, REFINED, WORST, TRANSFERRED = 'grid', 'refined', 'worst', 'transferred'
"""First words of the attacks' names; joints have their short form."""

ROUNDS = 3
LEAST = 4
"""Halvings of the step, and candidates on the grid at least."""

_AROUND = [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y]
_UNIT = 8  # places are whole eighths of a pixel, exact in any float

Places = Mapping[tuple[int, int], tuple[str, float, float]]
"""Image and annotation id -> joint attack's name or GRID or REFINED, x, y."""


@dataclass(frozen=True)
class WorstCaseSearch:
    """What is searched.

    Args:
        size: Of the disc, such as '10%'.
        fill: Its paint.
        candidates: Places of the grid on each person at most.
        rounds: Of refinement, each with 8 places around the best.
        budget: Forward passes of the whole search at most: the grid becomes
            coarser where it does not suffice.
        places: Worst places of another model, to be tried on this one.
    """

    size: str
    fill: str
    candidates: int = 64
    rounds: int = ROUNDS
    budget: int | None = None
    places: Places | None = None

    def within_budget(
        self, data: ImagePeople, log: Callable[[str], object]
    ) -> 'WorstCaseSearch':
        """With as many candidates as the budget allows; logs the plan.

        Raises:
            UsageError: It does not suffice for a grid of :data:`LEAST`.
        """
        found = [raw for raw in data.annotations if raw is not None]
        people, images = len(found), len(data.paths)
        joints = sum(flag > 0 for a in found for flag in a['keypoints'][2::3])
        rest = images + joints + people * len(_AROUND) * self.rounds
        rest += people * (self.places is not None)
        count = self.candidates
        if self.budget is not None:
            count = min(count, (self.budget - rest) // max(people, 1))
            if count < min(LEAST, self.candidates):
                least = rest + people * min(LEAST, self.candidates)
                raise UsageError(
                    f'--budget {self.budget} is too small for {people:,} '
                    f'people: give at least {least}, or fewer images with '
                    '--max-images'
                )
        log(
            f'At most {rest + people * count:,} forward passes for {people:,} '
            f'people in {images:,} images: each with {count} places on a '
            f'grid, its joints, and {len(_AROUND) * self.rounds} places '
            f'around the worst. Loss: {OBJECTIVE}.'
        )
        return replace(self, candidates=count)

    def suite(self, skeleton: Skeleton) -> list[SuiteAttack]:
        """Each joint hidden, then the places in the order of the search."""
        spec = f'keypoint:*:{self.fill}:{self.size}'
        joints = load_suites((), (spec,), skeleton)
        names = [f'{GRID} {i}' for i in range(self.candidates)]
        count = len(_AROUND) * self.rounds
        names += [*(f'{REFINED} {i}' for i in range(count)), WORST]
        config: dict[str, Any] = dict(
            type=PLACED,
            target=skeleton.names[0],
            fill=self.fill,
            size=DiscSize.of(self.size).plain,
            candidates=self.candidates,
            rounds=self.rounds,
        )
        out = [
            SuiteAttack(name, PLACED, (dict(config, step=name),))
            for name in names
        ]
        if self.places is not None:
            known = sorted([*k, *v] for k, v in self.places.items())
            config = dict(config, step=TRANSFERRED, places=known)
            out.append(SuiteAttack(TRANSFERRED, PLACED, (config,)))
        return [*joints, *out]


@dataclass
class WorstCaseLoop(ImageLoop):
    """Searches the worst place of each person of a block.

    Args:
        search: What is searched.
        names: Of the attacks, in their order.
        seed: Of the grids' offsets.
    """

    search: WorstCaseSearch
    names: Sequence[str]
    seed: int

    def results(
        self,
        work: Work,
        images: Sequence[LoadedImage],
        starting: Callable[[str], object] = lambda path: None,
    ) -> Iterator[tuple[str, BlockResult, int]]:
        """As :meth:`.image_loop.ImageLoop.results`; ``excluded`` are people
        with whom a place was not tried."""
        keys, wanted = list(self.attacks), self.missing(work)
        arrays = {}
        for key in (CLEAN, *keys):
            arrays[key] = BlockArrays(len(work.block), len(self.mapping))
            arrays[key].excluded[:] = key != CLEAN
        passes, first = 0, work.block.start
        for image in images:
            trial = _Trials(self, image, arrays, first, starting)
            if self.search.places is None or wanted != keys[-1:]:
                clean = list(self.passes(image, CLEAN, arrays[CLEAN], first))
                trial.predict(clean, [CLEAN])
                for row in image.people:
                    self._search(trial, row)
            for row in image.people if self.search.places else ():
                self._transfer(trial, row)
            passes += trial.passes
        for key in wanted:
            yield key, arrays[key].result(self.whole_image), passes
            passes = 0

    def _search(self, trial: '_Trials', row: int) -> None:
        person = trial.image.people[row]
        raw = self.data.annotations[row]
        assert raw is not None
        key = dict(zip(self.names, self.attacks, strict=True))
        mask = PersonSurroundings(
            trial.image.bgr,
            person,
            self.data.joints.links,
            self.data.boxes.person_boxes[row],
            raw,
        ).person_mask(0)
        own = [self.seed, int(raw['image_id']), int(raw['id'])]
        points, step = grid(
            mask,
            self.search.candidates,
            np.random.default_rng(own).random(2).tolist(),
        )
        tried: dict[str, Point] = {}
        joints = {
            k: person.points[name]
            for name, k in zip(
                person.skeleton.names, self.attacks, strict=False
            )
            if name in person.points
        }
        placed = {key[f'{GRID} {i}']: p for i, p in enumerate(points)}
        trial.occlude(row, dict.fromkeys(joints))
        trial.occlude(row, placed)
        tried.update({**joints, **placed})
        if not tried:
            return
        best = min(tried, key=lambda k: trial.oks(row, k))
        for turn in range(self.search.rounds):
            step /= 2
            x, y = tried[best]
            around = {}
            for i, (dx, dy) in enumerate(_AROUND, turn * len(_AROUND)):
                point = _rounded(x + dx * step), _rounded(y + dy * step)
                if _is_on(mask, *map(np.array, point)):
                    around[key[f'{REFINED} {i}']] = point
            trial.occlude(row, around)
            tried.update(around)
            best = min((best, *around), key=lambda k: trial.oks(row, k))
        trial.copy(row, best, key[WORST])

    def _transfer(self, trial: '_Trials', row: int) -> None:
        raw, (*_, key) = self.data.annotations[row], self.attacks
        assert raw is not None
        assert self.search.places is not None
        ids = int(raw['image_id']), int(raw['id'])
        if ids not in self.search.places:
            return
        name, x, y = self.search.places[ids]
        if name not in self.names:
            trial.occlude(row, {key: (x, y)})
            return
        joint = list(self.attacks)[list(self.names).index(name)]
        trial.occlude(row, {joint: None})
        trial.copy(row, joint, key)


class _Trials:
    """Predictions of the people of an image under occluders.

    Args:
        loop: Whose attacks and predictor these are.
        image: The image.
        arrays: Key -> predictions of the block.
        first: First row of the block.
        starting: See :meth:`.image_loop.ImageLoop.results`.
    """

    def __init__(
        self,
        loop: WorstCaseLoop,
        image: LoadedImage,
        arrays: Mapping[str, BlockArrays],
        first: int,
        starting: Callable[[str], object],
    ) -> None:
        self.loop, self.image, self.arrays = loop, image, arrays
        self.first, self.starting = first, starting
        self.passes = 0

    def occlude(self, row: int, places: Mapping[str, Point | None]) -> None:
        """Predict a person with the disc of each attack at its place, by
        default its own joint; those that were tried are not again."""
        image, data = self.image, self.loop.data
        person, raw = image.people[row], data.annotations[row]
        assert raw is not None
        todo = []
        for key, point in places.items():
            if not self.arrays[key].excluded[row - self.first]:
                continue
            effect = self.loop.attacks[key].on(
                image.bgr,
                image.scratch,
                person,
                data.boxes.person_boxes[row],
                raw,
                point,
            )
            self.arrays[key].note(row - self.first, effect)
            if effect.box is not None:
                todo.append((key, effect))
        size = self.loop.batch_size
        for start in range(0, len(todo), size):
            some = todo[start : start + size]
            batch = [self.loop.alone(image, row, effect) for _, effect in some]
            self.predict(batch, [key for key, _ in some])

    def predict(self, batch: Sequence[Pass], keys: Sequence[str]) -> None:
        """Predict images into the arrays of attacks."""
        self.starting(self.loop.first_path(batch))
        self.loop.fill(batch, [self.arrays[k] for k in keys], self.first)
        self.passes += len(batch)

    def oks(self, row: int, key: str) -> float:
        """A person's OKS under an attack."""
        i, boxes = row - self.first, self.loop.data.boxes
        if not self.arrays[key].changed[i]:
            key = CLEAN
        found = self.arrays[key].keypoints[i].astype(float)
        similar = keypoint_oks(
            found - boxes.truth[row],
            boxes.areas[row],
            self.loop.data.joints.sigmas,
        )
        return float(mean_oks(np.nan_to_num(similar), boxes.visible[row] > 0))

    def copy(self, row: int, key: str, to: str) -> None:
        """Take a person's result of one attack as that of another."""
        i = row - self.first
        for name, column in vars(self.arrays[to]).items():
            column[i] = getattr(self.arrays[key], name)[i]


def grid(
    mask: np.ndarray, count: int, shift: Sequence[float]
) -> tuple[list[Point], float]:
    """Points of a square grid on a mask.

    Args:
        mask: ``(H, W)`` bool.
        count: Of points at most; the step is the least for which there are
            not more, to 2 %.
        shift: Offset of the grid in x and y, in steps.

    Returns:
        The points in rows, in eighths of a pixel, and the step in pixels. A
        mask that no point hits has the pixel in its middle.

    >>> grid(np.ones((4, 4), bool), 4, (0.25, 0.25))[0]
    [(0.5, 0.5), (2.5, 0.5), (0.5, 2.5), (2.5, 2.5)]
    """
    pixels = np.argwhere(mask)[:, ::-1]
    if not len(pixels):
        return [], 1.0
    step = max(1.0, math.sqrt(len(pixels) / count))
    while True:
        x, y = (
            _rounded(np.arange(low + s * step, high + 1, step))
            for low, high, s in zip(
                pixels.min(0), pixels.max(0), shift, strict=True
            )
        )
        xy = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        xy = xy[_is_on(mask, xy[:, 0], xy[:, 1])]
        if len(xy) <= count:
            break
        step *= 1.02
    if not len(xy):
        xy = pixels[len(pixels) // 2 :][:1].astype(float)
    return [(x, y) for x, y in xy.tolist()], step


def _rounded(value: Any) -> Any:
    return np.round(np.asarray(value) * _UNIT) / _UNIT


def _is_on(mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether the nearest pixels of points are in a mask."""
    col, row = (np.floor(each + 0.5).astype(int) for each in (x, y))
    inside = (col >= 0) & (row >= 0)
    inside &= (row < mask.shape[0]) & (col < mask.shape[1])
    return inside & mask[np.where(inside, row, 0), np.where(inside, col, 0)]


def read_places(path: str | Path, size: str, fill: str) -> Places:
    """The worst places of another run.

    Args:
        path: Its folder, or its ``worst.json``.
        size: Of the disc, which must be the same, and
        fill: its paint.

    Raises:
        UsageError: The file cannot be read or is of another search.
    """
    path = Path(path)
    path = path if path.is_file() else path / 'worst.json'
    raw = read_json(path, 'file of places')
    try:
        theirs = raw['search']['size'], raw['search']['fill']
        places = {
            (int(p['image_id']), int(p['annotation_id'])): (
                str(p['place']),
                float(p['x']),
                float(p['y']),
            )
            for p in raw['people']
            if p['x'] is not None
        }
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f'"{path}" is no result of occlusion-worst ({error!r}): give its '
            '--out'
        ) from error
    if theirs != (str(DiscSize.of(size)), fill):
        raise UsageError(
            f'"{path}" has the places of {theirs[1]} discs of {theirs[0]}: '
            'give the same --fill and --size'
        )
    return places
