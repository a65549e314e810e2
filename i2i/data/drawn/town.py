"""Plans one drawn street from a seed: weather, buildings, trees, lamps, cars, people. The seed decides everything."""

import math
from random import Random

from i2i.data.drawn import street as stock
from i2i.data.drawn.buildings import NEAR, building
from i2i.data.drawn.street import Camera, Colour, Face, Light, Material, Street, Surface, tinted

FAR = 105.0
"""Metres to the last building."""


def plan(seed: int) -> Street:
    """The street of this seed."""
    # Neighbouring seeds of a Mersenne twister start alike; text seeds are hashed first.
    chance = Random(f"day2night {seed}")
    road = chance.uniform(3.2, 6.2)
    half_width = road + chance.uniform(2.2, 4.4)
    camera = Camera(
        x=chance.uniform(-0.75, 0.75) * road,
        height=chance.uniform(1.7, 4.6),
        yaw=math.radians(chance.choice((-1, 1)) * chance.uniform(2, 46)),
        focal=chance.uniform(0.85, 1.15),
        horizon=chance.uniform(0.50, 0.66),
    )
    weather = chance.choices((stock.CLEAR, stock.GOLDEN, stock.OVERCAST), (5, 3, 3))[0]
    up = math.radians(chance.uniform(14, 24) if weather is stock.GOLDEN else chance.uniform(20, 48))
    around = camera.yaw + math.radians(chance.choice((chance.uniform(-26, 26), chance.uniform(0, 360))))
    sun = (math.cos(up) * math.sin(around), math.sin(up), math.cos(up) * math.cos(around))
    wet = chance.choice((0.0, 0.0, 0.0, 0.7)) if weather is not stock.OVERCAST else chance.choice((0.0, 0.6))
    street = Street(camera, weather, sun, road, half_width, wet)

    _ground(street, chance)
    _buildings(street, chance)
    _furniture(street, chance)
    return street


def _ground(street: Street, chance: Random) -> None:
    """Land, skyline, road with its marks, pavements."""
    road, edge, wet = street.road, street.half_width, street.wet
    land = chance.choice(((0.42, 0.52, 0.28), (0.55, 0.53, 0.48)))
    # In strips, because haze is one amount a face.
    for z, deep in ((500, 500), (200, 300), (120, 80), (70, 50), (40, 30), (20, 20), (0, 20), (-30, 30)):
        for x in (-1600, -400, -100, -edge, edge, 100, 400):
            wide = {-1600: 1200, -400: 300, -100: 100 - edge, -edge: 2 * edge, edge: 100 - edge, 100: 300, 400: 1200}[x]
            street.flat((x, x + wide), (z, z + deep), land)
    for i in range(-14, 30):
        z, x = chance.uniform(190, 260), i * 22 + chance.uniform(-8, 8)
        street.across(z, (x, x + chance.uniform(12, 30)), (0, chance.uniform(10, 34)), Material((0.52, 0.52, 0.56)))
    asphalt = tinted((0.40, 0.40, 0.42), chance.uniform(0.8, 1.15) * (0.74 if wet else 1.0))
    paving = tinted((0.66, 0.63, 0.58), chance.uniform(0.85, 1.1) * (0.85 if wet else 1.0))
    white = (0.92, 0.92, 0.90)
    for z in range(220, -20, -10):
        for side in (-1, 1):
            street.flat((side * road, side * edge), (z, z + 10), paving, gloss=wet * 0.30)
            street.flat((side * road, side * (road + 0.22)), (z, z + 10), tinted(paving, 1.22), gloss=wet * 0.30)
            if z < 3 * NEAR:
                street.flat((side * (road + 0.22), side * edge), (z, z + 0.12), tinted(paving, 0.8), gloss=wet * 0.3)
        street.flat((-road, road), (z, z + 10), asphalt, gloss=wet * 0.55)
        for side in (-1, 1):
            street.flat((side * (road - 0.3), side * (road - 0.15)), (z, z + 10), (0.84, 0.83, 0.80), gloss=wet * 0.4)
        for start in (z + 5.5, z + 0.5):
            street.flat((-0.09, 0.09), (start, start + 2.8), white, gloss=wet * 0.4)
    crossing = chance.uniform(6, 26)
    stripe = 0.5
    for k in range(int((road - 0.5) / stripe)):
        if k % 2 == 0:
            for side in (-1, 1):
                x = side * (0.25 + k * stripe)
                street.flat((x, x + side * stripe), (crossing, crossing + 3.2), white, gloss=wet * 0.4)
    if wet:
        for _ in range(chance.randint(3, 6)):
            x, z, r = chance.uniform(-road, road) * 0.85, chance.uniform(3.5, 24), chance.uniform(0.4, 1.3)
            corners = [
                (x + r * math.cos(a) * 1.1, 0.0, z + 1.8 * r * math.sin(a))
                for a in (i * math.tau / 14 for i in range(14))
            ]
            puddle = Material(tinted(asphalt, 0.72))
            street.faces.append(Face(corners, puddle, (0.0, 1.0, 0.0), Surface.GROUND, 0.95))


def _buildings(street: Street, chance: Random) -> None:
    """Both rows, far to near."""
    rows: list[tuple[float, float, int]] = []
    for side in (-1, 1):
        z = -12.0 + chance.uniform(-4, 4)
        while z < FAR:
            width = chance.uniform(6.5, 14)
            built = chance.random() < 0.88 or -6 < z < 4
            rows.append((z, width, side if built else 2 * side))
            z += width
    for z, width, side in sorted(rows, reverse=True):
        if abs(side) == 1:
            building(street, chance, z, width, side)
        else:
            _garden(street, chance, z, width, side // 2)


def _garden(street: Street, chance: Random, z: float, width: float, side: int) -> None:
    """A gap in the row: trees behind a wall."""
    edge, leaves = side * street.half_width, chance.choice(stock.LEAVES)
    for k in (3, 2, 1) if z < 50 else ():
        _tree(street, chance, edge + side * chance.uniform(1.5, 6), z + k * width / 4, leaves)
    wall, high = Material(tinted(chance.choice(stock.WALLS), 0.8)), chance.uniform(1.2, 2.2)
    street.upright(edge, (z, z + width), (0, high), wall, side)
    street.upright(edge, (z, z + width), (high - 0.14, high + 0.06), Material((0.80, 0.78, 0.74)), side)
    street.cast(((edge, z), (edge, z + width)), high)


def _furniture(street: Street, chance: Random) -> None:
    """Everything that stands in the street, far to near as the camera sees it."""
    road, edge = street.road, street.half_width
    modern = chance.random() < 0.4
    gap, start = chance.uniform(13, 20), chance.uniform(3, 12)
    trees = chance.choice((0.0, 0.4, 0.8))
    leaves = chance.choice(stock.LEAVES)
    things = []
    for side in (-1, 1):
        z = start + (gap / 2 if modern and side > 0 else 0)
        while z < 80:
            things.append((_lamp, z, side * (road + 0.5), (side, modern)))
            if chance.random() < trees:
                things.append((_tree, z + gap / 2, side * (road + 0.9), leaves))
            z += gap
        for _ in range(chance.randint(0, 3)):
            walker = (
                _walker,
                chance.uniform(5, 40),
                side * chance.uniform(road + 0.7, edge - 0.7),
                chance.choice(stock.PAINTS),
            )
            things.append(walker)
        lane, z = side * min(road * 0.46, 1.95), chance.uniform(6, 26)
        while z < 90:
            things.append((_car, z, lane, (side, True)))
            z += chance.uniform(12, 45)
        if road > 4.7 and chance.random() < 0.85:
            z = chance.uniform(4, 14)
            while z < 70:
                things.append((_car, z, side * (road - 0.95), (side, False)))
                z += chance.uniform(5.6, 17)
    sine, cosine = math.sin(street.camera.yaw), math.cos(street.camera.yaw)
    things.sort(key=lambda thing: -((thing[2] - street.camera.x) * sine + thing[1] * cosine))
    for draw, z, x, how in things:
        draw(street, chance, x, z, how)


def _lamp(street: Street, chance: Random, x: float, z: float, how: tuple[int, bool]) -> None:
    side, modern = how
    iron = Material((0.17, 0.19, 0.20))
    if modern:
        head = x - side * 1.7
        street.across(z, (x - 0.07, x + 0.07), (0, 6.6), iron)
        street.across(z, (x, head), (6.52, 6.66), iron)
        street.across(z, (head - 0.55, head + 0.55), (6.34, 6.60), stock.MODERN)
        street.lights.append(Light((head, 6.3, z), (34.0, 38.0, 46.0)))
        return
    street.across(z, (x - 0.13, x + 0.13), (0, 0.7), iron)
    street.across(z, (x - 0.06, x + 0.06), (0.7, 3.7), iron)
    street.across(z, (x - 0.30, x + 0.30), (3.66, 3.76), iron)
    street.disc((x, 4.08, z), 0.34, stock.LANTERN, stretch=1.05)
    street.across(z, (x - 0.26, x + 0.26), (4.38, 4.48), iron)
    street.lights.append(Light((x, 4.0, z), (26.0, 15.5, 5.6)))


def _tree(street: Street, chance: Random, x: float, z: float, leaves: Colour) -> None:
    trunk, size = chance.uniform(2.0, 2.8), chance.uniform(1.1, 1.7)
    street.across(z, (x - 0.13, x + 0.13), (0, trunk + 1), Material((0.34, 0.26, 0.20)))
    street.cast(((x - size, z), (x + size, z)), trunk + size * 2.4)
    right = -math.copysign(1, street.sun[0])
    turn = chance.uniform(0, 1)
    for shade, colour, lift, reach in ((-0.4, 0.62, 0.0, 1.0), (0.1, 0.85, 0.2, 0.85), (0.7, 1.15, 0.6, 0.6)):
        for k in range(7):
            angle = k * math.tau / 7 + lift * 2 + turn
            far = reach * (0.62 + 0.26 * math.sin(3.1 * k + 9 * turn))
            dx, dy = math.cos(angle) * size * far, math.sin(angle) * size * far * 0.95
            place = (x + dx - right * lift * size * 0.3, trunk + size * (1.05 + lift * 0.4) + dy, z)
            leaf = Material(tinted(leaves, colour * (0.94 + 0.12 * (k % 2))))
            street.disc(place, size * (0.46 - 0.18 * lift), leaf, shade=shade)
        street.disc(
            (x, trunk + size * 1.05, z), size * 0.75 * (1 - lift), Material(tinted(leaves, colour)), shade=shade
        )


def _walker(street: Street, chance: Random, x: float, z: float, coat: Colour) -> None:
    tall = chance.uniform(0.92, 1.08)
    street.across(z, (x - 0.14, x - 0.02), (0, 0.85 * tall), Material((0.20, 0.21, 0.26)))
    street.across(z, (x + 0.02, x + 0.14), (0, 0.85 * tall), Material((0.20, 0.21, 0.26)))
    street.disc((x, 1.12 * tall, z), 0.24, Material(coat), stretch=1.5)
    street.disc((x, 1.62 * tall, z), 0.13, Material((0.80, 0.62, 0.50)))


def _car(street: Street, chance: Random, x: float, z: float, how: tuple[int, bool]) -> None:
    """A car keeps right: on the right it shows its tail, on the left its face. Only a driving car has its lamps on."""
    side, drives = how
    paint = chance.choice(stock.PAINTS)
    w, length, belt, roof = 0.88, chance.uniform(3.9, 4.6), 0.92, chance.uniform(1.42, 1.62)
    back, left, right = z + length, x - w, x + w
    body, glass, tyre = Material(paint), Material((0.14, 0.18, 0.22)), Material((0.08, 0.08, 0.09))
    street.flat((left - 0.12, right + 0.12), (z - 0.15, back + 0.15), (0.10, 0.10, 0.11), y=0.0)
    street.cast(((left, z + 0.3), (left, back - 0.3)), roof)
    street.cast(((right, z + 0.3), (right, back - 0.3)), roof)

    flank, facing = (left, 1) if street.camera.x < x else (right, -1)
    street.upright(flank, (z, back), (0.28, belt), Material(tinted(paint, 0.9)), facing)
    for wheel in (z + length * 0.2, z + length * 0.8):
        wheel_face = [(flank - facing * 0.01, 0.33 + 0.33 * math.sin(a), wheel + 0.33 * math.cos(a)) for a in _TURNS]
        street.faces.append(Face(wheel_face, tyre, (-float(facing), 0.0, 0.0)))
    street.across(z, (left, right), (0.28, belt), body)
    street.across(z, (left, right), (0.16, 0.32), tyre)
    street.flat((left, right), (z, back), tinted(paint, 1.1), y=belt)

    nose, tail = (0.30, 0.14) if side < 0 else (0.14, 0.30)  # the bonnet is longer than the boot
    a0, a1, b0, b1 = z + nose * length, z + (nose + 0.12) * length, back - tail * length, back - (tail + 0.12) * length
    inset = facing * 0.14
    cabin = ((flank, belt, a0), (flank, belt, b0), (flank + inset, roof, b1), (flank + inset, roof, a1))
    street.faces.append(Face(cabin, glass, (-float(facing), 0.2, 0.0)))
    screen = ((left, belt, a0), (right, belt, a0), (right - 0.14, roof, a1), (left + 0.14, roof, a1))
    street.faces.append(Face(screen, glass, (0.0, 0.5, -0.8)))
    street.flat((left + 0.14, right - 0.14), (a1, b1), tinted(paint, 1.15), y=roof)
    middle = (a1 + b1) / 2
    street.upright(flank + inset * 0.5, (middle - 0.06, middle + 0.06), (belt, roof), body, facing)

    lamp = (
        (stock.HEADLAMP if drives else stock.UNLIT_HEADLAMP)
        if side < 0
        else (stock.TAILLAMP if drives else stock.UNLIT_TAILLAMP)
    )
    for at in (left + 0.24, right - 0.24):
        street.disc((at, 0.70, z - 0.02), 0.17, lamp, stretch=0.75)
    street.across(z, (x - 0.26, x + 0.26), (0.42, 0.54), Material((0.90, 0.90, 0.86)))
    if drives:
        ahead = z if side < 0 else back
        for reach, power in ((2.5, 7.0), (6.0, 10.0)):
            street.lights.append(Light((x, 1.0, ahead + side * reach), (power, power * 0.93, power * 0.76)))
        if side > 0:
            street.lights.append(Light((x, 0.8, z - 0.9), (3.4, 0.25, 0.18)))


_TURNS = [a * math.tau / 10 for a in range(10)]
