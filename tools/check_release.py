"""Build the packages, look at what is in them, and run the demo from the wheel in a fresh environment.

    python tools/check_release.py [--contents] [--keep DIR]

--contents stops before anything is installed, and needs no network. What is built is checked to hold all that runs
(recipes of the public sets, templates of pages), nothing that does not (tests, caches), and no large file; the wheel is
built from the sdist, so that this is whole too. Then the wheel alone is installed, and `i2i demo` runs outside this
clone. uv installs where there is one, for it keeps what it has downloaded; otherwise pip.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]
LARGEST = 1_000_000
"""Bytes of a file."""
WHEEL, SDIST = 3_000_000, 6_000_000
"""Bytes of a package."""
MINUTES = 30
"""That the demo may take on a slow machine."""
_LEFT = {"__pycache__", ".DS_Store"}


def main(argv: list[str] | None = None) -> int:
    """0 where both packages are sound and the demo ran, 1 where they are not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contents", action="store_true", help="build and look through, install nothing")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the packages there")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="i2i-release-") as work:
        began = time.monotonic()
        sdist, wheel = build(asked.keep or Path(work, "dist"))
        inside = members(wheel)
        wrong = [*missing(inside), *strange(inside, wheel, WHEEL), *strange(members(sdist), sdist, SDIST)]
        for line in wrong:
            print(line, file=sys.stderr)
        print(f"{sdist.name} {sdist.stat().st_size:,} bytes, {wheel.name} {wheel.stat().st_size:,} bytes")
        _passed("built", began)
        if wrong or asked.contents:
            return 1 if wrong else 0
        return _try_out(wheel, Path(work))


def build(into: Path) -> tuple[Path, Path]:
    """The sdist, and the wheel that is made of it. The build system is this environment's: nothing is downloaded."""
    _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(CLONE)])
    (sdist,), (wheel,) = into.glob("*.tar.gz"), into.glob("*.whl")
    return sdist, wheel


def members(package: Path) -> dict[str, int]:
    """Files of a wheel or an sdist and their bytes; of an sdist without the folder around them."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
    with tarfile.open(package) as archive:
        return {member.name.partition("/")[2]: member.size for member in archive if member.isfile()}


def missing(inside: Iterable[str]) -> list[str]:
    """What the wheel should hold, for the clone does: all of the package, recipes of public sets, the licence."""
    wanted = {str(path.relative_to(CLONE).as_posix()) for path in _files(CLONE / "i2i")}
    wanted |= {f"i2i/data/sets/{path.name}" for path in _files(CLONE / "datasets")}
    names = set(inside)
    lost = [f"{name}: in the clone and not in the wheel" for name in sorted(wanted - names)]
    for end in ("/licenses/LICENSE", "/entry_points.txt", "/METADATA"):
        if not any(name.endswith(f".dist-info{end}") for name in names):
            lost.append(f"the wheel has no {end.rpartition('/')[2]}")
    return lost


def strange(inside: Mapping[str, int], package: Path, most: int) -> list[str]:
    """What a package should not hold: anything beside i2i in a wheel, caches, large files."""
    found = [f"{package.name}: {name} has {size:,} bytes" for name, size in inside.items() if size > LARGEST]
    for name in inside:
        top = name.partition("/")[0]
        if package.suffix == ".whl" and top != "i2i" and not top.endswith(".dist-info"):
            found.append(f"{package.name}: {name} is no part of i2i")
        if _LEFT & set(Path(name).parts) or top in ("runs", "data", ".venv", ".git"):
            found.append(f"{package.name}: {name} was left behind by something")
    if package.stat().st_size > most:
        found.append(f"{package.name}: {package.stat().st_size:,} bytes, {most:,} at most")
    return found


def _try_out(wheel: Path, work: Path) -> int:
    began = time.monotonic()
    venv, outside = work / "venv", work / "outside"
    outside.mkdir()
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    python, i2i = (venv / ("Scripts" if os.name == "nt" else "bin") / name for name in ("python", "i2i"))
    constraints = ["--constraint", str(CLONE / "constraints.txt"), str(wheel)]
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *constraints])
    else:
        _run([sys.executable, "-m", "venv", str(venv)])
        _run([str(python), "-m", "pip", "install", "--quiet", *constraints])
    _passed(f"installed by {'uv' if uv else 'pip'}", began)

    began = time.monotonic()
    _run([str(i2i), "demo", "--out", "demo"], outside)
    _passed("i2i demo", began)
    place = _run([str(python), "-c", "import i2i; print(i2i.__file__)"], outside, quiet=True).strip()
    if not Path(place).is_relative_to(venv.resolve()):
        print(f"the demo ran {place}, which is not what was installed", file=sys.stderr)
        return 1
    if not (outside / "demo" / "report.html").is_file():
        print("the demo left no report.html", file=sys.stderr)
        return 1
    return 0


def _run(command: list[str], folder: Path = CLONE, *, quiet: bool = False) -> str:
    # The clone is not to be found by accident.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE if quiet else None,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: ended with {done.returncode}")
    return done.stdout or ""


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not _LEFT & set(path.parts)]


def _passed(what: str, began: float) -> None:
    print(f"{what} in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
