"""Every command of the README runs as it stands there; every flag of the guide exists."""

import itertools
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from i2i import cli
from i2i.data.day2night import draw, write
from i2i.images import write as write_picture
from i2i.recipes import RECIPES

sys.path.insert(0, str(Path(__file__).parent))
from commands import ROOT, Shown, complaint, fences, shown

README = ROOT / "README.md"
ADDED = "adding-your-own.md"
"""Its commands are those of an i2i with its additions: tests/docs_examples."""
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "datasets").glob("*.md"))]
TINY = ["--device", "cpu"]
TRAINING = [*TINY, "--steps", "2", "--size", "32", "--width", "4", "--workers", "0", "--precision", "fp32"]
SMALLER = {
    "demo": [*TINY, "--steps", "2", "--size", "32"],
    "train": TRAINING,
    "translate": TINY,
    "evaluate": TINY,
}
"""What is added to a command, so that it takes seconds."""
STAYS = {"app"}
"""Commands that serve until they are stopped, each with tests of its own. They are parsed."""
ELSEWHERE = {"facades", "DIR", "RUN", "RECIPE", "latest_net_G.pth"}
"""Words for what is not here: a download, a run of hours, files of the reference. Such commands are parsed."""


@pytest.fixture(scope="module")
def commands() -> list[Shown]:
    return shown(README)


def _runs(one: Shown) -> bool:
    """Whether it can be done here, from its beginning to its end."""
    return one.i2i is not None and not ELSEWHERE & set(one.words) and not STAYS & set(one.i2i[:1])


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the README takes for granted: my-pairs, my-folders, photos, street.jpg."""
    monkeypatch.chdir(tmp_path)
    write(Path("my-pairs"), train=6, val=1, test=2, size=(32, 32))
    for index in range(4):
        for side, picture in zip("AB", draw(50 + index, (32, 32)), strict=True):
            folder = Path("my-folders") / f"train{side}"
            folder.mkdir(parents=True, exist_ok=True)
            write_picture(folder / f"{index}.png", picture)
    shutil.copytree("my-pairs/test/A", "photos/holiday")
    write_picture(Path("street.jpg"), draw(99, (40, 56))[0])
    return tmp_path


def test_every_command_of_this_machine_runs_in_the_order_of_the_page(
    newcomer: Path, commands: list[Shown], capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [one for one in commands if _runs(one)]
    assert {one.i2i[0] for one in ours if one.i2i} >= {"demo", "check", "train", "translate", "doctor", "evaluate"}
    failed = []
    for one in ours:
        args = one.i2i or []
        small = [] if "--help" in args else SMALLER.get(args[0] if args else "", [])
        # Two steps learn nothing, which the demo says with 1. A run that is shown twice is gone on with.
        wanted = (0, 1) if args[:1] == ["demo"] else (0,)
        if "--resume" in args:
            small = [*TINY, "--steps", "3", "--workers", "0"]
        try:
            code = cli.main([*args, *small])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        if code not in wanted:
            failed.append(f"{one}: {code}: {said.err.splitlines()[-1:]}")
    assert failed == []
    assert len(list(Path("translated").rglob("*.png"))) == 2
    assert len(list(Path("days/holiday").iterdir())) == 2
    assert Path("runs/demo/report.html").is_file()
    assert Path("runs/mine/report.html").is_file()
    for language, _, code in fences(README):
        if language == "python":
            names: dict[str, object] = {}
            exec(code, names)
            assert getattr(names["picture"], "size", None) == (56, 40)
    assert len(list(Path("by-night").rglob("*.png"))) == 2


def test_what_wants_something_from_elsewhere_is_understood(commands: list[Shown]) -> None:
    theirs = [one for one in commands if one.i2i is not None and not _runs(one)]
    assert theirs
    assert [f"{one}: {said}" for one in theirs if (said := complaint(one.i2i or []))] == []


def test_other_programs_are_called_as_the_makefile_calls_them(commands: list[Shown]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for one in (one for one in commands if one.i2i is None):
        program, *words = one.words
        match program.rpartition("/")[2]:
            case "make":
                assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE), one
            case "pip":
                assert words[0] == "install", one
                for flag, value in itertools.pairwise(words):
                    assert flag != "-c" or ((ROOT / value).is_file() and f"--constraint {value}" in makefile), one
                    assert flag != "-e" or set(re.findall(r"\w+", value)) <= set(extras), one
            case "python3" | "python" if words[0] == "-m":
                assert " ".join(words) in makefile.replace("$(PYTHON) ", ""), one
            case "python3" | "python":
                script = (ROOT / words[0]).read_text(encoding="utf-8")
                assert all(word in script for word in words[1:] if word.startswith("--")), one
            case "pytest":
                assert "$(BIN)/pytest" in makefile
            case _:
                pytest.fail(f"{one}: nobody tries this")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != ADDED], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_every_flag_of_the_guide_exists(page: Path) -> None:
    wrong = [f"{one}: {said}" for one in shown(page) if one.i2i is not None and (said := complaint(one.i2i))]
    assert wrong == []
    scripts = [one for one in shown(page) if one.words[1:] and one.words[1].startswith(("tools/", "tests/"))]
    assert [str(one) for one in scripts if not (ROOT / one.words[1]).is_file()] == []


def test_links_and_places_of_the_readme_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", text)
    assert "docs/day2night.jpg" in linked
    assert [place for place in linked if "://" not in place and not (ROOT / place).exists()] == []
    tree = next(code for language, _, code in fences(README) if not language and "i2i/game.py" in code)
    places = [line.split()[0] for line in tree.splitlines()]
    places += re.findall(r"`((?:i2i|docs|tools|tests|datasets)/[\w/.-]+)`", text)
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_readme_names_every_recipe_and_stays_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in RECIPES if f"`{name}`" not in text] == []
    assert len(text.splitlines()) <= 160


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "pix2pix", "--data", "DIR", "--lambda-l2", "3"], "--lambda-l2: no such flag"),
        (["train", "pix2pix", "--model.generator.depth", "99"], "depth: 99"),
        (["trian", "pix2pix"], "did you mean train?"),
        (["translate", "RUN", "in/", "out/", "--tiles", "3"], "did you mean --tile?"),
        (["benchmark", "train", "--agains", "DIR"], "did you mean --against?"),
    ],
)
def test_a_page_with_a_wrong_command_would_be_found(words: list[str], said: str) -> None:
    assert said in complaint(words)


def test_commands_are_read_as_a_shell_reads_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say `i2i doctor\nRUN`.\n```sh\ni2i train pix2pix \\\n  --data D  # not 'this\nCUDA=1 x\n"
        "i2i check a && i2i check b > log | head\n```\n```python\ni2i = 3\n```\n",
        encoding="utf-8",
    )
    assert [" ".join(one.words) for one in shown(page)] == [
        *("i2i doctor RUN", "i2i train pix2pix --data D", "i2i check a", "i2i check b", "head")
    ]
    assert [one.line for one in shown(page)][:2] == [1, 5]
