"""A random image: background, light, people, furniture, and ground truth.

Images are drawn with ``SAMPLES`` x ``SAMPLES`` samples to the pixel and
averaged; what is in front is decided on those samples. Pixel frame: the
centre of the first pixel is (0, 0), x to the right, y down; the same for
samples.
"""

from dataclasses import dataclass
from itertools import compress

import cv2
import numpy as np

from mmpose_occlusion.skeleton import COCO_JOINTS

from .body import turn
from .figure import CARRIERS, Figure, sample_figure
from .rendering import Array, Light, Rng, View, render
from .scenery import Brush, draw_furniture, draw_stool, sample_background

SAMPLES = 2
SIZES = ((288, 384), (240, 320), (320, 320), (384, 288), (288, 352))
"""(height, width) of images, in pixels."""
PEOPLE_WEIGHTS = (0.71, 0.21, 0.06, 0.02)
"""Probabilities of 1, 2, ... people."""
STATURES = (100, 300)
"""Smallest and largest standing height, in pixels."""
MIN_LABELLED, MIN_VISIBLE, MIN_SHOWN = 9, 6, 0.6
"""A person stays in an image with at least so many joints inside it, so many
visible joints, and such a fraction of their pixels that is not occluded."""


@dataclass
class Person:
    """Ground truth of one person, in pixels.

    ``visible`` is 0 for a COCO joint outside the image, 1 for an occluded one
    (by the own body too), else 2. ``bbox`` [x, y, w, h] surrounds, and
    ``area`` counts, the person's pixels inside the image, occluded or not;
    ``visible_area`` counts and ``mask`` holds those that are not.
    """

    joints: dict[str, tuple[float, float]]
    visible: dict[str, int]
    bbox: list[float]
    area: float
    visible_area: float
    mask: Array


@dataclass
class Scene:
    """An image (H, W, 3) uint8 BGR and its people."""

    image: Array
    people: list[Person]


@dataclass
class Layer:
    """Something drawn on a transparent canvas of samples: the row of its
    floor, colour and mask; a person's figure, view, buffers and stool."""

    floor: float
    color: Array
    mask: Array
    figure: Figure | None = None
    view: View | None = None
    depth: Array | None = None
    solid: Array | None = None
    seat: 'Layer | None' = None


@dataclass
class Stage:
    """An empty image (height, width), the row of its horizon, the camera's
    height in statures (a person of stature s stands on row ``horizon + camera
    * s``) and downward tilt in degrees, and its light."""

    size: tuple[int, int]
    horizon: float
    camera: float
    pitch: float
    light: Light


def to_pixels(samples: Array) -> Array:
    """Sample coordinates to pixel coordinates, of two decimals."""
    return np.round((np.asarray(samples, float) + 0.5) / SAMPLES - 0.5, 2)


def make_scene(rng: Rng) -> Scene:
    """Draw an image with at least one person."""
    while True:
        stage, stature = _sample_stage(rng)
        figures = _sample_people(rng, stage, stature)
        background = sample_background(rng, stage.size, stage.horizon)
        things = _sample_things(rng, stage, figures)
        while figures:
            seats = [figure.seat for figure in figures if figure.seat]
            layers = [*things, *seats, *figures]
            image, front = compose(background, layers)
            first = len(layers) - len(figures)
            people = [
                describe(figure, front == index)
                for index, figure in enumerate(figures, first)
            ]
            kept = [_is_kept(person) for person in people]
            if all(kept):
                return Scene(_expose(rng, image), people)
            figures = list(compress(figures, kept))


def _is_kept(person: Person) -> bool:
    flags = list(person.visible.values())
    return (
        person.visible_area >= MIN_SHOWN * person.area
        and len(flags) - flags.count(0) >= MIN_LABELLED
        and flags.count(2) >= MIN_VISIBLE
    )


def _sample_stage(rng: Rng) -> tuple[Stage, float]:
    """An empty image, and the stature of the first person."""
    u = rng.uniform
    height, width = SIZES[rng.integers(len(SIZES))]
    stature, camera = sample_stature(rng, height), u(0.4, 1.05)
    floor = u(min(1.02 * stature, 0.98 * height), 1.02 * height)
    horizon = float(np.clip(floor - camera * stature, 0, 0.55 * height))
    direction = np.array([u(-0.9, 0.9), -u(0.3, 1), -u(0.25, 1)])
    direction /= np.linalg.norm(direction)
    tint = np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2) * u(0.9, 1.1)
    light = Light(direction, u(0.35, 0.6), tint)
    return Stage((height, width), horizon, camera, u(-3, 14), light), stature


def sample_stature(rng: Rng, height: int) -> float:
    return float(np.clip(height * rng.uniform(0.52, 0.97), *STATURES))


def _sample_people(rng: Rng, stage: Stage, stature: float) -> list[Layer]:
    """Draw people, 2 in 5 of the later ones next to an earlier one."""
    height, width = stage.size
    placed: list[tuple[float, float]] = []
    figures = []
    for number in range(1 + rng.choice(4, p=PEOPLE_WEIGHTS)):
        x = rng.uniform(0.12, 0.88) * width
        if number:
            stature = sample_stature(rng, height)
            if rng.random() < 0.4:
                x, other = placed[rng.integers(number)]
                side = 1 if rng.random() < 0.5 else -1
                x += side * other * rng.uniform(0.18, 0.55)
                stature = other * rng.uniform(0.72, 1.3)
                stature = float(np.clip(stature, *STATURES))
        placed.append((x, stature))
        figure = sample_figure(rng)
        floor = stage.horizon + stage.camera * stature
        floor += rng.normal(0, 0.02) * height
        rise = 0.0  # of a jump
        if not figure.seated and rng.random() < 0.06:
            rise = rng.uniform(0.03, 0.16) * stature
        layer = place(figure, (x, floor), stature, stage, rise)
        if figure.seated:
            brush, unit = Brush(rng, layer.mask.shape), layer.view.scale
            x, y, _ = layer.view.project(figure.joints['pelvis'])
            high = layer.floor - y - 0.055 * unit
            draw_stool(rng, brush, (x, layer.floor), high, unit)
            layer.seat = Layer(layer.floor - 0.01, brush.canvas, brush.mask)
        figures.append(layer)
    return figures


def _sample_things(
    rng: Rng, stage: Stage, figures: list[Layer]
) -> list[Layer]:
    """Draw furniture anywhere and, in 8 % of images, before a person."""
    height, width = stage.size
    spots = []
    for _ in range(rng.choice(4, p=[0.6, 0.28, 0.1, 0.02])):
        unit = rng.uniform(0.35, 1.05) * height
        floor = stage.horizon + stage.camera * unit
        spots.append((rng.uniform(0, width), floor, unit))
    spots = [tuple(SAMPLES * v for v in spot) for spot in spots]
    if rng.random() < 0.08:
        person = figures[rng.integers(len(figures))]
        unit = person.view.scale
        x = person.view.shift[0] + rng.normal(0, 0.25) * unit
        spots.append((x, person.floor + rng.uniform(0.05, 0.2) * unit, unit))
    layers = []
    for x, floor, unit in spots:
        brush = Brush(rng, figures[0].mask.shape)
        draw_furniture(rng, brush, (x, floor), unit)
        layers.append(Layer(floor, brush.canvas, brush.mask))
    return layers


def place(
    figure: Figure,
    foot: tuple[float, float],
    stature: float,
    stage: Stage,
    rise: float = 0.0,
) -> Layer:
    """Draw a figure, alone, by the ground below its pelvis, its standing
    height and the feet's rise in a jump, in pixels."""
    unit = stature * SAMPLES
    x, y = (np.array(foot) + 0.5) * SAMPLES - 0.5
    lift = figure.lowest * np.cos(np.deg2rad(stage.pitch)) * unit
    shift = np.array([x, y + lift - rise * SAMPLES])
    view = View(turn('x', stage.pitch), unit, shift)
    size = stage.size[0] * SAMPLES, stage.size[1] * SAMPLES
    color, depth, solid = render(figure.solids, view, stage.light, size)
    mask = (solid >= 0).view(np.uint8)
    return Layer(float(y), color, mask, figure, view, depth, solid)


def compose(background: Array, layers: list[Layer]) -> tuple[Array, Array]:
    """Draw layers over a background in pixels, in the order of their floors:
    the image (H, W, 3) in pixels, and per sample the int16 index of the layer
    in front, -1 for the background."""
    size = background.shape[1::-1]
    large, nearest = (size[0] * SAMPLES, size[1] * SAMPLES), cv2.INTER_NEAREST
    canvas = cv2.resize(background, large, interpolation=nearest)
    front = np.full(canvas.shape[:2], -1, np.int16)
    for layer in layers:
        if layer.figure:
            _shadow(canvas, layer)
    for index in np.argsort([layer.floor for layer in layers], kind='stable'):
        layer = layers[index]
        cv2.copyTo(layer.color, layer.mask, canvas)
        np.copyto(front, np.int16(index), where=layer.mask > 0)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), front


def _shadow(canvas: Array, person: Layer) -> None:
    """A soft dark patch on the ground under a person."""
    height, width = canvas.shape[:2]
    x, reach = person.view.shift[0], 0.34 * person.view.scale
    x0, x1 = int(max(x - reach, 0)), int(min(x + reach, width))
    y0 = int(max(person.floor - 0.3 * reach, 0))
    y1 = int(min(person.floor + 0.3 * reach, height))
    if x1 <= x0 or y1 <= y0:
        return
    u = (np.arange(x0, x1) - x) / reach
    v = (np.arange(y0, y1) - person.floor) / (0.28 * reach)
    light = 1 - 0.5 * np.clip(1 - u**2 - v[:, None] ** 2, 0, 1)
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * light[..., None]


def describe(person: Layer, shown: Array) -> Person:
    """Ground truth of a person in a composed image; ``shown`` (H, W) bool are
    the samples where nothing is in front of the person."""
    figure = person.figure
    size = height, width = tuple(side // SAMPLES for side in shown.shape)
    joints, visible = {}, {}
    for name, point in figure.joints.items():
        x, y, z = person.view.project(point)
        joints[name] = tuple(to_pixels([x, y]).tolist())
        if name in COCO_JOINTS:
            visible[name] = int(is_inside(*joints[name], width, height))
        if not visible.get(name):
            continue
        # Visible: a solid that carries the joint is in front, near it.
        row = min(max(round(y), 0), shown.shape[0] - 1)
        col = min(max(round(x), 0), shown.shape[1] - 1)
        side, _, part = name.rpartition('_')
        tags, reach = CARRIERS[f'*_{part}' if side else part]
        if shown[row, col]:
            near = z - person.depth[row, col] <= reach * person.view.scale
            tag = figure.solids[person.solid[row, col]].tag
            seen = tag in [t.replace('*', side) for t in tags]
            visible[name] += int(near and seen)
    whole = _by_majority(person.mask, size)
    mask = _by_majority(shown.view(np.uint8), size)
    areas = float(np.count_nonzero(whole)), float(np.count_nonzero(mask))
    bbox = [float(v) for v in cv2.boundingRect(whole.view(np.uint8))]
    return Person(joints, visible, bbox, *areas, mask)


def _by_majority(samples: Array, size: tuple[int, int]) -> Array:
    """Pixels more than half of whose samples are 1: (H, W) bool."""
    values, average = samples * np.uint8(200), cv2.INTER_AREA
    return cv2.resize(values, size[::-1], interpolation=average) > 100


def is_inside(x: float, y: float, width: int, height: int) -> bool:
    """Whether a point lies between the centres of the outermost pixels."""
    return 0 <= x <= width - 1 and 0 <= y <= height - 1


def _expose(rng: Rng, image: Array) -> Array:
    """Exposure, colour cast, blur and noise of a camera."""
    gain = rng.uniform(0.82, 1.15) * rng.normal(1, 0.03, 3)
    contrast = np.float32(rng.uniform(0.8, 1.15))
    out = image * (gain * contrast).astype(np.float32) + 127.5 * (1 - contrast)
    if rng.random() < 0.15:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 0.9))
    grain = rng.standard_normal((*image.shape[:2], 1), dtype=np.float32)
    out += grain * np.float32(255 * rng.uniform(0.003, 0.012))
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)
