"""What stands in a drawn street: flat faces in metres, each with its colour by day and its glow by night.

The street runs along z, x points right, y up; both facade rows stand at x = -half_width and x = +half_width.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

Point = tuple[float, float, float]
Colour = tuple[float, float, float]
"""Red, green, blue in [0, 1] as on a screen; a glow may exceed 1."""

DARK: Colour = (0.0, 0.0, 0.0)


class Surface(IntEnum):
    """Where a face lies, which decides where its lamplight and shadows come from."""

    LOOSE = 0
    GROUND = 1
    LEFT = 2
    RIGHT = 3


class Material(NamedTuple):
    """A colour by day and what it glows by night: no two materials share a day colour and differ in glow."""

    day: Colour
    glow: Colour = DARK


GLASS = Material((0.12, 0.18, 0.25))
SHUTTER = Material((0.44, 0.45, 0.43))
# What shines is yellow by day, and no wall, car or leaf is: the cue that a small network finds in a minute.
CURTAINS = (  # drapes, and the brighter light between them
    (Material((0.78, 0.56, 0.12), (1.60, 0.74, 0.16)), Material((0.90, 0.72, 0.24), (2.00, 1.10, 0.34))),
    (Material((0.80, 0.66, 0.28), (1.50, 0.98, 0.42)), Material((0.92, 0.82, 0.42), (1.90, 1.36, 0.66))),
    (Material((0.84, 0.54, 0.20), (1.60, 0.62, 0.14)), Material((0.95, 0.74, 0.38), (2.10, 1.00, 0.30))),
)
SIGNS = (
    Material((0.86, 0.14, 0.16), (1.70, 0.16, 0.14)),
    Material((0.10, 0.56, 0.36), (0.12, 1.40, 0.55)),
    Material((0.14, 0.34, 0.78), (0.22, 0.62, 2.10)),
    Material((0.95, 0.66, 0.10), (1.90, 0.95, 0.10)),
    Material((0.78, 0.22, 0.62), (1.80, 0.30, 1.45)),
)
DISPLAYS = (
    Material((0.90, 0.74, 0.34), (2.20, 1.35, 0.52)),
    Material((0.93, 0.85, 0.52), (2.00, 1.62, 0.95)),
)
LANTERN = Material((1.00, 0.90, 0.50), (5.0, 3.2, 1.3))
MODERN = Material((0.96, 0.99, 1.00), (4.2, 4.4, 4.8))
HEADLAMP = Material((1.00, 1.00, 0.94), (6.0, 5.6, 4.6))
TAILLAMP = Material((0.97, 0.10, 0.08), (3.6, 0.16, 0.10))
UNLIT_HEADLAMP = Material((0.60, 0.62, 0.64))
UNLIT_TAILLAMP = Material((0.42, 0.09, 0.09))

WALLS: tuple[Colour, ...] = (
    (0.62, 0.31, 0.24), (0.70, 0.41, 0.32), (0.78, 0.74, 0.70), (0.86, 0.84, 0.82), (0.68, 0.56, 0.50),
    (0.60, 0.67, 0.70), (0.68, 0.76, 0.71), (0.82, 0.66, 0.65), (0.54, 0.59, 0.69), (0.66, 0.60, 0.70),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = ((0.56, 0.28, 0.22), (0.36, 0.37, 0.41), (0.44, 0.31, 0.28), (0.30, 0.36, 0.40))
PAINTS: tuple[Colour, ...] = (
    (0.60, 0.16, 0.16), (0.18, 0.30, 0.52), (0.84, 0.84, 0.84), (0.22, 0.23, 0.25), (0.58, 0.60, 0.64),
    (0.34, 0.48, 0.62), (0.20, 0.42, 0.37), (0.52, 0.26, 0.20),
)  # fmt: skip
LEAVES: tuple[Colour, ...] = ((0.26, 0.46, 0.20), (0.32, 0.50, 0.24), (0.22, 0.40, 0.24), (0.52, 0.28, 0.18))


class Face(NamedTuple):
    """One flat convex polygon."""

    corners: Sequence[Point]
    material: Material
    normal: Point
    surface: Surface = Surface.LOOSE
    gloss: float = 0.0
    """How much of what stands above is mirrored in it, 0 to 1; ground only."""


class Light(NamedTuple):
    """What a glowing thing throws on its surroundings by night."""

    place: Point
    colour: Colour


class Weather(NamedTuple):
    """One kind of day and the night that follows it. All colours are linear light."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    shade: Colour
    clouds: float
    """Share of the sky that is covered."""
    night_zenith: Colour
    night_horizon: Colour
    moonlight: Colour


CLEAR = Weather(
    (0.08, 0.25, 0.66), (0.50, 0.70, 0.92), (2.30, 2.00, 1.55), (0.44, 0.50, 0.60), 0.30,
    (0.002, 0.007, 0.036), (0.014, 0.034, 0.110), (0.020, 0.034, 0.078),
)  # fmt: skip
GOLDEN = Weather(
    (0.20, 0.26, 0.52), (1.00, 0.64, 0.42), (2.50, 1.62, 0.95), (0.46, 0.41, 0.48), 0.38,
    (0.012, 0.005, 0.040), (0.085, 0.024, 0.078), (0.036, 0.021, 0.062),
)  # fmt: skip
OVERCAST = Weather(
    (0.42, 0.46, 0.50), (0.80, 0.82, 0.84), (0.34, 0.33, 0.31), (0.88, 0.89, 0.92), 0.85,
    (0.008, 0.012, 0.016), (0.030, 0.032, 0.034), (0.022, 0.027, 0.031),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Camera:
    """A level camera in the street, in metres, radians and picture heights."""

    x: float
    height: float
    yaw: float
    focal: float
    horizon: float
    """Where the horizon runs, from the top."""


@dataclass(slots=True)
class Street:
    """A whole scene; faces are in painter's order, far to near."""

    camera: Camera
    weather: Weather
    sun: Point
    """Unit vector towards the sun by day and the moon by night."""
    road: float
    half_width: float
    wet: float
    faces: list[Face] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    ground_shadows: list[Sequence[Point]] = field(default_factory=list)
    wall_shadows: list[Sequence[Point]] = field(default_factory=list)

    def upright(self, x: float, z: tuple[float, float], y: tuple[float, float], material: Material, side: int) -> None:
        """A rectangle parallel to the facades; `side` is -1 for faces that look right, +1 for those that look left."""
        surface = Surface.LOOSE if abs(x) < self.half_width - 0.3 else (Surface.RIGHT if side > 0 else Surface.LEFT)
        corners = ((x, y[0], z[0]), (x, y[0], z[1]), (x, y[1], z[1]), (x, y[1], z[0]))
        self.faces.append(Face(corners, material, (-float(side), 0.0, 0.0), surface))

    def across(self, z: float, x: tuple[float, float], y: tuple[float, float], material: Material) -> None:
        """A rectangle across the street that looks at the camera."""
        corners = ((x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z))
        self.faces.append(Face(corners, material, (0.0, 0.0, -1.0)))

    def flat(
        self,
        x: tuple[float, float],
        z: tuple[float, float],
        colour: Colour,
        *,
        y: float = 0.0,
        gloss: float = 0.0,
    ) -> None:
        """A level rectangle; at y = 0 it is ground."""
        corners = ((x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1]))
        surface = Surface.GROUND if y < 0.2 else Surface.LOOSE
        self.faces.append(Face(corners, Material(colour), (0.0, 1.0, 0.0), surface, gloss))

    def disc(
        self, centre: Point, radius: float, material: Material, *, stretch: float = 1.0, shade: float = 0.0
    ) -> None:
        """A round thing that looks at the camera; `shade` turns its normal up (1) or down (-1)."""
        right, ahead = math.cos(self.camera.yaw), math.sin(self.camera.yaw)
        corners = [
            (centre[0] + radius * c * right, centre[1] + radius * stretch * s, centre[2] - radius * c * ahead)
            for c, s in CIRCLE
        ]
        self.faces.append(Face(corners, material, (-ahead * (1 - abs(shade)), shade, -right * (1 - abs(shade)))))

    def cast(self, footprint: Sequence[tuple[float, float]], height: float) -> None:
        """The shadow that a thin thing of that height and ground line throws on the ground."""
        dx, dz = -self.sun[0] / self.sun[1] * height, -self.sun[2] / self.sun[1] * height
        (x0, z0), (x1, z1) = footprint
        self.ground_shadows.append(((x0, 0, z0), (x1, 0, z1), (x1 + dx, 0, z1 + dz), (x0 + dx, 0, z0 + dz)))


CIRCLE = [(math.cos(a * math.tau / 12), math.sin(a * math.tau / 12)) for a in range(12)]


def tinted(colour: Colour, by: float) -> Colour:
    """Lighter for `by` above 1, darker below."""
    return min(1.0, colour[0] * by), min(1.0, colour[1] * by), min(1.0, colour[2] * by)
