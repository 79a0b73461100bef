"""A picture with people in it, and the truth about each of them.

Pixel frame: the centre of the first pixel is (0, 0), x to the right, y down.
Pictures are drawn with ``SAMPLES`` x ``SAMPLES`` samples to the pixel and
averaged; who and what is in front is decided on those samples.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .backdrop import sample_backdrop
from .body import turn
from .figure import CARRIERS, Figure, sample_figure
from .furniture import draw_stool, sample_thing
from .raster import Buffer, Light, View, extent_of, render

SAMPLES = 2
SIZES = ((384, 288), (320, 240), (320, 320), (288, 384), (352, 288))
PEOPLE = (1, 2, 3, 4)
PEOPLE_WEIGHTS = (0.40, 0.33, 0.18, 0.09)

COCO_JOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)

MIN_LABELLED = 6
"""A person with fewer joints inside the picture is not put into it."""
MIN_SEEN = 3
"""Nor one with fewer joints seen,"""
MIN_VISIBLE = 0.25
"""nor one of whose pixels inside the picture less than this share shows."""


@dataclass
class Placed:
    """A figure at a place in the picture.

    ``floor`` is the row, in samples, of the ground it stands on and orders
    people from far to near; ``unit`` is its stature in samples.
    """

    figure: Figure
    view: View
    floor: float
    unit: float
    buffer: Buffer


@dataclass
class Person:
    """The truth about one person, in pixels.

    Args:
        joints: Name -> (x, y), inside the picture or not.
        visible: Name of COCO joint -> 0 outside the picture, 1 hidden, 2
            seen.
        bbox: [x, y, w, h] around the person's pixels inside the picture,
            whether something stands before them or not.
        area: Number of those pixels.
        visible_area: Number of those before which nothing stands.
        head_box: [x1, y1, x2, y2] around skull and jaw, as in MPII.
        stature: Standing height in pixels.
        outline: (h, w) bool mask of the pixels that show, of the picture's
            size.
    """

    joints: dict[str, tuple[float, float]]
    visible: dict[str, int]
    bbox: list[float]
    area: float
    visible_area: float
    head_box: list[float]
    stature: float
    outline: np.ndarray


@dataclass
class Scene:
    """A picture (H, W, 3) uint8 BGR and the people in it, far to near."""

    image: np.ndarray
    people: list[Person]


def to_pixels(samples: np.ndarray) -> np.ndarray:
    """Sample coordinates -> pixel coordinates."""
    return (np.asarray(samples, float) + 0.5) / SAMPLES - 0.5


def to_samples(pixels: np.ndarray) -> np.ndarray:
    """Pixel coordinates -> sample coordinates."""
    return (np.asarray(pixels, float) + 0.5) * SAMPLES - 0.5


def make_scene(rng: np.random.Generator) -> Scene:
    """Draw a picture.

    Args:
        rng: The only source of chance: equal states give equal pictures.
    """
    width, height = SIZES[rng.integers(len(SIZES))]
    people: list[Person] = []
    while not people:
        image, people = _try_scene(rng, height, width)
    return Scene(image, people)


def _try_scene(
    rng: np.random.Generator, height: int, width: int
) -> tuple[np.ndarray, list[Person]]:
    shape = (height * SAMPLES, width * SAMPLES)
    camera = rng.uniform(0.4, 1.05)  # its height above ground, in statures
    stature = _sample_stature(rng, height)
    floor = rng.uniform(min(0.97 * stature, height), 1.06 * height)
    horizon = float(np.clip(floor - camera * stature, 0, 0.55 * height))
    pitch = rng.uniform(-3, 14)
    light = _sample_light(rng)
    placed = _sample_people(
        rng, height, width, stature, horizon, camera, pitch, light
    )
    backdrop = sample_backdrop(rng, height, width, horizon)
    layers = _sample_things(rng, placed, horizon, camera, height, width)
    keep = [True] * len(placed)
    while True:
        shown = [p for p, kept in zip(placed, keep, strict=True) if kept]
        fronts = _fronts(shape, shown)
        state = rng.bit_generator.state
        canvas = _backing(backdrop)
        _compose(rng, canvas, fronts, shown, layers)
        rng.bit_generator.state = state
        people = [
            describe(person, i, fronts, height, width)
            for i, person in enumerate(shown)
        ]
        good = [_belongs(person) for person in people]
        if all(good):
            break
        flags = iter(good)
        keep = [kept and next(flags) for kept in keep]
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return _develop(rng, small), people


def _belongs(person: Person) -> bool:
    values = np.array(list(person.visible.values()))
    return bool(
        (values > 0).sum() >= MIN_LABELLED
        and (values == 2).sum() >= MIN_SEEN
        and person.visible_area >= MIN_VISIBLE * person.area
    )


def _sample_light(rng: np.random.Generator) -> Light:
    direction = np.array(
        [rng.uniform(-0.9, 0.9), -rng.uniform(0.3, 1), -rng.uniform(0.25, 1)]
    )
    tint = np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    return Light(
        direction / np.linalg.norm(direction),
        rng.uniform(0.35, 0.6),
        tint * rng.uniform(0.9, 1.1),
    )


def _sample_stature(rng: np.random.Generator, height: int) -> float:
    """A standing person's height in pixels."""
    return float(np.clip(height * rng.uniform(0.36, 1.02), 100, 300))


def _sample_people(
    rng: np.random.Generator,
    height: int,
    width: int,
    stature: float,
    horizon: float,
    camera: float,
    pitch: float,
    light: Light,
) -> list[Placed]:
    count = int(rng.choice(PEOPLE, p=PEOPLE_WEIGHTS))
    people: list[tuple[float, float, Figure]] = []
    for _ in range(count):
        if people:
            stature = _sample_stature(rng, height)
        if people and rng.random() < 0.55:
            x, other, _ = people[rng.integers(len(people))]
            side = 1 if rng.random() < 0.5 else -1
            x += side * other * rng.uniform(0.10, 0.55)
            stature = float(np.clip(other * rng.uniform(0.72, 1.3), 100, 300))
        else:
            x = rng.uniform(0.12, 0.88) * width
        people.append((x, stature, sample_figure(rng)))
    placed = []
    for x, stature, figure in people:
        floor = horizon + camera * stature + rng.normal(0, 0.02) * height
        rise = 0.0
        if not figure.pose.seat and rng.random() < 0.06:
            rise = rng.uniform(0.03, 0.16) * stature
        placed.append(
            place(
                figure, (x, floor), stature, rise, pitch, light, height, width
            )
        )
    return sorted(placed, key=lambda person: person.floor)


def place(
    figure: Figure,
    foot: tuple[float, float],
    stature: float,
    rise: float,
    pitch: float,
    light: Light,
    height: int,
    width: int,
) -> Placed:
    """Draw a figure at a place of a picture, alone.

    Args:
        foot: (x, y) pixel of the ground below the pelvis.
        stature: Standing height in pixels.
        rise: How far the feet are above the ground, in pixels.
        pitch: How far the camera looks down, in degrees.
        height, width: The picture's size in pixels.
    """
    tilt = turn('x', pitch)
    unit = stature * SAMPLES
    x, y = to_samples(np.array(foot))
    low = figure.lowest * np.cos(np.deg2rad(pitch))
    view = View(tilt, unit, np.array([x, y + (low * unit) - rise * SAMPLES]))
    box = extent_of(figure.solids, view)
    x0, y0 = np.maximum(np.floor(box[0]), 0).astype(int)
    x1 = min(int(np.ceil(box[1, 0])) + 1, width * SAMPLES)
    y1 = min(int(np.ceil(box[1, 1])) + 1, height * SAMPLES)
    buffer = Buffer.empty(x0, y0, max(x1, x0), max(y1, y0))
    render(buffer, figure.solids, view, light)
    _darken_crevices(buffer, unit)
    return Placed(figure, view, float(y), unit, buffer)


def _darken_crevices(buffer: Buffer, unit: float) -> None:
    """Shade what lies behind something near it (unsharp masking of depth).

    After Luft, Colditz and Deussen, Image enhancement by unsharp masking the
    depth buffer, SIGGRAPH 2006.
    """
    drawn = buffer.drawn
    if not drawn.any():
        return
    depth = np.where(drawn, buffer.depth, 0)
    size = max(3, int(0.035 * unit) | 1)
    mean = cv2.blur(depth, (size, size))
    share = cv2.blur(drawn.astype(np.float32), (size, size))
    behind = (depth - mean / np.maximum(share, 1e-3)) / (0.05 * unit)
    buffer.color *= (1 - 0.45 * np.clip(behind, 0, 1))[..., None]


def _sample_things(
    rng: np.random.Generator,
    placed: list[Placed],
    horizon: float,
    camera: float,
    height: int,
    width: int,
) -> list[tuple[int, tuple[float, float], float, int]]:
    """Things as (before which person, foot, unit, seed), in samples."""
    things = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.2, 0.1]))):
        unit = rng.uniform(0.35, 1.05) * height
        floor = (horizon + camera * unit) * SAMPLES
        x = rng.uniform(0, 1) * width * SAMPLES
        order = sum(person.floor < floor for person in placed)
        things.append(
            (order, (x, floor), unit * SAMPLES, int(rng.integers(2**31)))
        )
    if placed and rng.random() < 0.12:  # something before somebody
        person = placed[rng.integers(len(placed))]
        x = person.view.shift[0] + rng.normal(0, 0.25) * person.unit
        floor = person.floor + rng.uniform(0.05, 0.2) * person.unit
        order = sum(other.floor < floor for other in placed)
        things.append(
            (order, (x, floor), person.unit, int(rng.integers(2**31)))
        )
    return things


@dataclass
class Fronts:
    """Per sample: who is in front (-1 nobody, -2 a thing), with which
    solid."""

    who: np.ndarray
    solid: np.ndarray


def _fronts(shape: tuple[int, int], placed: list[Placed]) -> Fronts:
    return Fronts(np.full(shape, -1, np.int16), np.full(shape, -1, np.int16))


def _backing(backdrop: np.ndarray) -> np.ndarray:
    height, width = backdrop.shape[:2]
    return cv2.resize(
        backdrop.astype(np.float32),
        (width * SAMPLES, height * SAMPLES),
        interpolation=cv2.INTER_NEAREST,
    )


def _compose(
    rng: np.random.Generator,
    canvas: np.ndarray,
    fronts: Fronts,
    placed: list[Placed],
    things: list,
) -> None:
    """Paint shadows, things and people from far to near."""
    for person in placed:
        _shadow(canvas, person)
    for order in range(len(placed) + 1):
        for _, foot, unit, seed in (t for t in things if t[0] == order):
            mask = sample_thing(
                np.random.default_rng(seed), canvas, foot, unit
            )
            fronts.who[mask] = -2
        if order == len(placed):
            break
        person = placed[order]
        if person.figure.pose.seat:
            _seat(canvas, fronts, person)
        buffer = person.buffer
        rows = np.s_[
            buffer.y0 : buffer.y0 + buffer.depth.shape[0],
            buffer.x0 : buffer.x0 + buffer.depth.shape[1],
        ]
        drawn = buffer.drawn
        canvas[rows][drawn] = buffer.color[drawn]
        fronts.who[rows][drawn] = order
        fronts.solid[rows][drawn] = buffer.solid[drawn]


def _seat(canvas: np.ndarray, fronts: Fronts, person: Placed) -> None:
    pelvis = person.view.project(person.figure.joints['pelvis'][None])[0]
    seed = int(abs(pelvis[0]) * 1000) % (2**31)
    mask = draw_stool(
        np.random.default_rng(seed),
        canvas,
        (pelvis[0], pelvis[1] + 0.055 * person.unit),
        person.floor,
        person.unit,
    )
    fronts.who[mask] = -2


def _shadow(canvas: np.ndarray, person: Placed) -> None:
    height, width = canvas.shape[:2]
    x, unit = person.view.shift[0], person.unit
    reach = 0.34 * unit
    x0, x1 = int(max(x - reach, 0)), int(min(x + reach, width))
    y0 = int(max(person.floor - 0.3 * reach, 0))
    y1 = int(min(person.floor + 0.3 * reach, height))
    if x1 <= x0 or y1 <= y0:
        return
    u = (np.arange(x0, x1) - x) / reach
    v = (np.arange(y0, y1) - person.floor) / (0.28 * reach)
    fall = np.clip(1 - u[None, :] ** 2 - v[:, None] ** 2, 0, 1)
    canvas[y0:y1, x0:x1] *= (1 - 0.5 * fall)[..., None].astype(np.float32)


def describe(
    person: Placed, index: int, fronts: Fronts, height: int, width: int
) -> Person:
    """Joints, visibility, box and areas of one person of a picture.

    Args:
        index: The person's number in ``fronts.who``.
    """
    figure, view, buffer = person.figure, person.view, person.buffer
    names = list(figure.joints)
    places = view.project(np.stack([figure.joints[n] for n in names]))
    pixels = np.round(to_pixels(places[:, :2]), 2)
    joints = {
        n: (float(x), float(y))
        for n, (x, y) in zip(names, pixels, strict=True)
    }
    visible = {}
    for name, place_, (x, y) in zip(names, places, pixels, strict=True):
        if name not in CARRIERS:
            continue
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            visible[name] = 0
        else:
            seen = _is_seen(person, index, fronts, name, place_)
            visible[name] = 2 if seen else 1
    drawn = np.zeros(fronts.who.shape, np.uint8)
    drawn[
        buffer.y0 : buffer.y0 + buffer.depth.shape[0],
        buffer.x0 : buffer.x0 + buffer.depth.shape[1],
    ] = buffer.drawn
    # A pixel is the person's when at least half of its samples are.
    whole = _halved(drawn, height, width)
    outline = _halved((fronts.who == index).astype(np.uint8), height, width)
    return Person(
        joints,
        {n: visible[n] for n in COCO_JOINTS},
        box_of(whole),
        float(whole.sum()),
        float(outline.sum()),
        _head_box(figure, view),
        person.unit / SAMPLES,
        outline,
    )


def _halved(samples: np.ndarray, height: int, width: int) -> np.ndarray:
    share = cv2.resize(
        samples.astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    return share >= 0.5


def box_of(mask: np.ndarray) -> list[float]:
    """[x, y, w, h] of a mask, in pixel counts; zeros if it is empty."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return [0.0, 0.0, 0.0, 0.0]
    return [
        float(cols[0]),
        float(rows[0]),
        float(cols[-1] - cols[0] + 1),
        float(rows[-1] - rows[0] + 1),
    ]


def _is_seen(
    person: Placed, index: int, fronts: Fronts, name: str, place_: np.ndarray
) -> bool:
    col, row = np.round(place_[:2]).astype(int)
    row = min(max(row, 0), fronts.who.shape[0] - 1)
    col = min(max(col, 0), fronts.who.shape[1] - 1)
    if fronts.who[row, col] != index:
        return False
    tags, reach = CARRIERS[name]
    if person.figure.solids[fronts.solid[row, col]].tag not in tags:
        return False
    buffer = person.buffer
    depth = buffer.depth[row - buffer.y0, col - buffer.x0]
    return bool(place_[2] - depth <= reach * person.unit)


def _head_box(figure: Figure, view: View) -> list[float]:
    box = extent_of([figure.solids[i] for i in figure.head], view)
    return [float(v) for v in np.round(to_pixels(box), 2).ravel()]


def _develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a camera does: exposure, colour cast, softness, noise."""
    height, width = image.shape[:2]
    image = image * (rng.uniform(0.82, 1.15) * rng.normal(1, 0.03, 3)).astype(
        np.float32
    )
    image = 0.5 + (image - 0.5) * np.float32(rng.uniform(0.8, 1.15))
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    grain = rng.standard_normal((height, width, 1)).astype(np.float32)
    image = image + grain * np.float32(rng.uniform(0.003, 0.02))
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
