"""Light on a drawn street: what each pixel shows, and how bright it is by day and by night."""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from i2i.data.drawn.street import Camera, Light, Street, Surface

Array = npt.NDArray[Any]

GRID = 56
"""Rows of the maps of soft light, whatever the size of the picture."""
FAINT = 75.0
"""Metres ahead from which a lamp is seen but lights nothing that could be told."""
NEAREST = 0.4
"""Metres from the camera at which faces are cut off."""


def develop(light: Array, size: tuple[int, int], exposure: float) -> Array:
    """Linear light to a screen picture, after shrinking: bright edges stay smooth."""
    light = cv2.resize(light, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    screen = (1 - np.exp(light * -exposure)) ** (1 / 2.2)
    return (screen * 255 + 0.5).astype(np.uint8)


class Picture:
    """One street seen through its camera: which face each pixel shows, and the light on it."""

    def __init__(self, street: Street, height: int, width: int):
        self.street, self.height, self.width = street, height, width
        self.aspect = width / height
        self.grid = (GRID, max(8, round(GRID * self.aspect)))
        faces = street.faces
        self.counts = np.array([len(face.corners) for face in faces])
        self.corners = np.array([corner for face in faces for corner in face.corners], np.float32)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        centres = np.add.reduceat(self.corners, self.starts) / self.counts[:, None]
        self.surface = np.array([0] + [face.surface for face in faces], np.uint8)
        self.albedo = _linear(np.array([face.material.day for face in faces], np.float32))
        self.glow = np.array([face.material.glow for face in faces], np.float32)
        self.normals = np.array([face.normal for face in faces], np.float32)
        self.gloss = np.array([0.0] + [face.gloss for face in faces], np.float32)
        self.centres = centres.astype(np.float32)
        self.lights = [light for light in street.lights if light.place[2] < FAINT and self._in_view(light)]
        canvas = np.zeros((height, width), np.int32)
        self.paint(canvas, self.corners, self.starts, self.counts)
        self.ids = canvas.astype(np.intp)
        """The face that each pixel shows, from 1; 0 is sky."""
        self.on = self.surface.take(self.ids)

    def _in_view(self, light: Light) -> bool:
        """Between the left and right edge: a lamp that the day does not show must not light the night."""
        right, _, ahead = _into_camera(self.street.camera, np.array([light.place]))[0].tolist()
        return ahead > NEAREST and abs(self.street.camera.focal * right) < self.aspect / 2 * ahead

    def paint(self, canvas: Array, corners: Array, starts: Array, counts: Array, *, mirror: bool = False) -> None:
        """Fill `canvas` with face numbers (from 1), later faces over earlier ones."""
        camera, scale = self.street.camera, canvas.shape[0]
        seen = _into_camera(camera, corners)
        if mirror:
            seen[:, 1] = -2 * camera.height - seen[:, 1]
        near = np.minimum.reduceat(seen[:, 2], starts)
        far = np.maximum.reduceat(seen[:, 2], starts)
        flat = self._project(seen, scale)
        span = scale * self.aspect * 16
        left, right = np.minimum.reduceat(flat[:, 0], starts), np.maximum.reduceat(flat[:, 0], starts)
        whole = near > NEAREST
        keep = (far > NEAREST) & ~(whole & ((right < 0) | (left > span)))
        pixels = np.rint(flat).astype(np.int32)
        for i in np.flatnonzero(keep).tolist():
            start, end = int(starts[i]), int(starts[i] + counts[i])
            if whole[i]:
                outline = pixels[start:end]
            else:
                outline = np.rint(self._project(_cut(seen[start:end]), scale)).astype(np.int32)
            cv2.fillConvexPoly(canvas, outline, i + 1, shift=4)

    def _project(self, seen: Array, scale: int) -> Array:
        """Camera space to canvas, in sixteenths of a pixel."""
        camera = self.street.camera
        depth = np.maximum(seen[:, 2], NEAREST)
        u = self.aspect / 2 + camera.focal * seen[:, 0] / depth
        v = camera.horizon - camera.focal * seen[:, 1] / depth
        return (np.stack([u, v], axis=1) * scale - 0.5) * 16

    def expose(self) -> tuple[Array, Array]:
        """The day and the night in linear light."""
        street, weather = self.street, self.street.weather
        depth = np.hypot(self.centres[:, 0] - street.camera.x, self.centres[:, 2])[:, None]
        haze = 1 - np.exp(-((depth / 75) ** 1.8))
        clear = 1 - haze

        facing = (self.normals @ np.array(street.sun, np.float32))[:, None].clip(0)
        shade = np.array(weather.shade) * (0.80 + 0.20 * self.normals[:, 1:2])
        in_shade = self.albedo * shade * clear + haze * np.array(weather.horizon)
        in_sun = self.albedo * facing * np.array(weather.sun) * clear

        in_moon = 0.6 * np.array(weather.moonlight) * (0.75 + 0.25 * self.normals[:, 1:2])
        by_night = self.albedo * in_moon * clear + haze * np.array(weather.night_horizon)
        glowing = self.glow * clear
        lamplit = self.albedo * clear

        sky_day, sky_night = self._sky()
        lamplight = self._lamplight()
        sunny = 1 - self._shadows()
        day = self._table(in_shade) + self._table(in_sun) * sunny[..., None]
        night = self._table(by_night + glowing) + self._table(lamplit) * lamplight
        sky = self.ids == 0
        cv2.copyTo(sky_day, sky.view(np.uint8), day)
        cv2.copyTo(sky_night, sky.view(np.uint8), night)
        if street.wet:
            self._reflect(day, night, in_shade + in_sun * 0.6, by_night + glowing * 1.2 + lamplit * 0.12)
        night += self._halo(glowing)
        return day, night

    def _table(self, values: Array) -> Array:
        """A value a face, spread over its pixels; 0 where there is sky."""
        table = np.concatenate([np.zeros((1, values.shape[1])), values]).astype(np.float32)
        return table.take(self.ids, axis=0)  # four times as fast as table[self.ids]

    def _full(self, soft: Array) -> Array:
        return cv2.resize(soft.astype(np.float32), (self.width, self.height), interpolation=cv2.INTER_LINEAR)

    def _rays(self) -> Array:
        """Where each cell of the grid looks: (rows, columns, 3) world directions, 1 metre deep."""
        camera, (rows, columns) = self.street.camera, self.grid
        u = (np.arange(columns, dtype=np.float32) + 0.5) / columns * self.aspect - self.aspect / 2
        v = camera.horizon - (np.arange(rows, dtype=np.float32) + 0.5) / rows
        x, y = np.meshgrid(u / camera.focal, v / camera.focal)
        cosine, sine = math.cos(camera.yaw), math.sin(camera.yaw)
        return np.stack([x * cosine + sine, y, cosine - x * sine], axis=-1)

    def _lamplight(self) -> Array:
        """Light of all lamps on whatever each pixel shows."""
        street = self.street
        camera = np.array([street.camera.x, street.camera.height, 0], np.float32)
        rays = self._rays()
        result = self._table(self._lit(self.centres, self.normals, wrap=0.4))
        planes = (
            (Surface.GROUND, -camera[1], rays[..., 1], (0.0, 1.0, 0.0)),
            (Surface.LEFT, -street.half_width - camera[0], rays[..., 0], (1.0, 0.0, 0.0)),
            (Surface.RIGHT, street.half_width - camera[0], rays[..., 0], (-1.0, 0.0, 0.0)),
        )
        for surface, distance, slope, normal in planes:
            meets = slope * distance > 1e-6
            places = camera + rays[meets] * np.minimum(distance / slope[meets], 150)[:, None]
            lit = np.zeros((*self.grid, 3), np.float32)
            lit[meets] = self._lit(places, np.array([normal], np.float32), wrap=0.0)
            cv2.copyTo(self._full(lit), (self.on == surface).view(np.uint8), result)
        return result

    def _lit(self, places: Array, normals: Array, wrap: float) -> Array:
        """Light at `places`: falls with the square of the distance and with the slant; `wrap` softens the slant."""
        lights = self.lights
        if not lights:
            return np.zeros((len(places), 3), np.float32)
        at = np.array([light.place for light in lights], np.float32)
        colours = np.array([light.colour for light in lights], np.float32)
        squared = places @ (-2 * at.T)
        squared += (places**2).sum(1)[:, None]
        squared += (at**2).sum(1)
        np.maximum(squared, 0.05, out=squared)
        slant = normals @ at.T - (normals * places).sum(1)[:, None]
        slant /= np.sqrt(squared)
        if wrap:
            slant = wrap + (1 - wrap) * slant
        squared += 1.5
        np.maximum(slant, 0, out=slant)
        slant /= squared
        return slant @ (colours * 0.20)

    def _shadows(self) -> Array:
        """1 where the sun is hidden."""
        hidden = np.zeros((self.height, self.width), np.float32)
        for shadows, surfaces in (
            (self.street.ground_shadows, (Surface.GROUND,)),
            (self.street.wall_shadows, (Surface.LEFT, Surface.RIGHT)),
        ):
            mask = np.zeros((self.height, self.width), np.int32)
            if shadows:
                corners = np.array(shadows, np.float32).reshape(-1, 3)
                starts = np.arange(len(shadows)) * 4
                self.paint(mask, corners, starts, np.full(len(shadows), 4))
            where = np.isin(self.on, surfaces)
            hidden = np.where(where, (mask > 0).astype(np.float32), hidden)
        blur = max(1, self.height // 256) * 2 + 1
        return cv2.blur(hidden, (blur, blur)) * 0.92

    def _sky(self) -> tuple[Array, Array]:
        weather, camera = self.street.weather, self.street.camera
        rows, columns = self.grid
        v = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] / rows
        climb = np.clip((camera.horizon - v) / camera.horizon, 0, 1)[..., None]
        clouds = self._clouds()[..., None]

        def blend(zenith: Any, horizon: Any) -> Array:
            return np.array(horizon) + (np.array(zenith) - np.array(horizon)) * climb**0.7

        day = np.broadcast_to(blend(weather.zenith, weather.horizon), (rows, columns, 3))
        white = np.array(weather.shade) * 0.9 + np.array(weather.sun) * 0.35
        day = day + (white - day) * clouds * 0.85
        night = np.broadcast_to(blend(weather.night_zenith, weather.night_horizon), (rows, columns, 3))
        night = night + (np.array(weather.night_horizon) * 1.15 - night) * clouds * 0.7

        toward = _into_camera(camera, np.array([self.street.sun], np.float32) * 1000)[0]
        place = None
        if toward[2] > 0:
            x = self.aspect / 2 + camera.focal * toward[0] / toward[2]
            y = camera.horizon - camera.focal * toward[1] / toward[2]
            place = (float(x), float(y))
            u = (np.arange(columns, dtype=np.float32) + 0.5)[None] / columns * self.aspect
            away = np.sqrt((u - x) ** 2 + (v - y) ** 2)[..., None]
            day = day + np.array(weather.sun) * (0.9 * np.exp(-away / 0.09) + 0.25 * np.exp(-away / 0.3))
            night = night + np.array((0.16, 0.19, 0.26)) * np.exp(-away / 0.10)
        day, night = self._full(day), self._full(night)
        self._stars(night, self._full(clouds[..., 0]))
        if place and weather.clouds < 0.8:
            _spot(day, place, 0.034, (6.0, 5.4, 4.2), self.height)
            _spot(night, place, 0.034, (2.2, 2.15, 1.9), self.height)
        return day, night

    def _clouds(self) -> Array:
        """Cover of the sky, 0 to 1, on the grid."""
        rows, columns = self.grid
        random = np.random.default_rng(round(self.street.sun[0] * 1e9) & 0xFFFFFFFF)
        cover = np.zeros((rows, columns), np.float32)
        for cells, weight in ((4, 0.5), (8, 0.28), (16, 0.15), (32, 0.07)):
            noise = random.random((cells * 2, cells)).astype(np.float32)
            cover += weight * cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
        threshold = float(np.quantile(cover, 1 - self.street.weather.clouds))
        return np.clip((cover - threshold + 0.03) / 0.14, 0, 1)

    def _stars(self, night: Array, clouds: Array) -> None:
        """The one star field of every night, in picture coordinates."""
        if self.street.weather.clouds > 0.8:
            return
        stars = np.random.default_rng(1609).random((45, 3))
        for u, v, bright in stars.tolist():
            x, y = int(u * self.width), int(v * 0.7 * self.height)
            shine = (0.06 + 0.4 * bright**3) * (1 - float(clouds[y, x]))
            if shine > 0.05:
                _spot(night, (u * self.aspect, v * 0.7), 0.0026, (shine, shine, shine * 1.1), self.height)

    def _halo(self, glowing: Array) -> Array:
        """The glow around whatever shines, wide and narrow."""
        rows, columns = GRID * 2, max(16, round(GRID * 2 * self.aspect))
        shine = cv2.resize(self._table(glowing), (columns, rows), interpolation=cv2.INTER_AREA)
        shine = np.minimum(shine, 4)
        narrow = cv2.GaussianBlur(shine, (0, 0), rows * 0.012)
        small = cv2.resize(shine, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
        wide = cv2.resize(cv2.GaussianBlur(small, (0, 0), rows * 0.022), (columns, rows))
        return self._full(narrow * 0.34 + wide * 0.40)

    def _reflect(self, day: Array, night: Array, by_day: Array, by_night: Array) -> None:
        """Mirror what stands above in wet ground, drawn out towards the viewer."""
        rows, columns = GRID * 2, max(16, round(GRID * 2 * self.aspect))
        mirrored = np.zeros((rows, columns), np.int32)
        standing = (self.surface[1:] != Surface.GROUND).nonzero()[0]
        lookup = np.concatenate([[0], standing + 1])
        picks = np.flatnonzero(np.repeat(self.surface[1:] != Surface.GROUND, self.counts))
        counts = self.counts[standing]
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self.paint(mirrored, self.corners[picks], starts, counts, mirror=True)
        weather = self.street.weather
        gloss = self.gloss.take(self.ids)[..., None]
        for picture, values, *sky in (
            (day, by_day, weather.zenith, weather.horizon),
            (night, by_night, weather.night_zenith, weather.night_horizon),
        ):
            table = np.concatenate([np.mean(sky, axis=0, keepdims=True) * 0.9, values]).astype(np.float32)
            shine = table.take(lookup.take(mirrored), axis=0)
            shine = cv2.GaussianBlur(shine, (0, 0), sigmaX=rows * 0.004, sigmaY=rows * 0.018)
            picture += (self._full(shine) * 0.9 - picture * 0.5) * gloss


def _linear(screen: Array) -> Array:
    return screen**2.2


def _into_camera(camera: Camera, places: Array) -> Array:
    """World to camera: right, up, ahead."""
    x, y, z = places[:, 0] - camera.x, places[:, 1] - camera.height, places[:, 2]
    cosine, sine = math.cos(camera.yaw), math.sin(camera.yaw)
    return np.stack([x * cosine - z * sine, y, x * sine + z * cosine], axis=1)


def _cut(polygon: Array) -> Array:
    """The part of a polygon in front of the camera (Sutherland-Hodgman on one plane)."""
    kept: list[Array] = []
    for here, after in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if here[2] > NEAREST:
            kept.append(here)
        if (here[2] > NEAREST) != (after[2] > NEAREST):
            kept.append(here + (after - here) * ((NEAREST - here[2]) / (after[2] - here[2])))
    return np.array(kept)


def _spot(picture: Array, place: tuple[float, float], radius: float, colour: Any, scale: int) -> None:
    """A disc of light, in picture heights."""
    centre = (round(place[0] * scale * 16), round(place[1] * scale * 16))
    if max(map(abs, centre)) < 2**26:
        cv2.circle(picture, centre, max(8, round(radius * scale * 16)), colour, -1, shift=4)
