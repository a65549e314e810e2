"""`i2i completion`: what a shell proposes."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from i2i import cli
from i2i.cli.completion import SCRIPTS, Command, commands
from i2i.recipes import RECIPES


@pytest.fixture(scope="module")
def known() -> Mapping[str, Command]:
    return commands()


@pytest.fixture(scope="module")
def scripts(known: Mapping[str, Command], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("completion")
    for shell, script in SCRIPTS.items():
        (folder / shell).write_text(script(known), encoding="utf-8")
    return {shell: folder / shell for shell in SCRIPTS}


def test_every_command_is_known_with_the_flags_of_its_help(known: Mapping[str, Command]) -> None:
    assert set(known) == set(cli.VERBS)
    assert {"--tile", "--fit", "--direction"} <= set(known["translate"].flags)
    assert {"--data", "--resume", "--continue", "--model.lambda-l1"} <= set(known["train"].flags)
    assert {"--against", "--json"} <= set(known["benchmark"].flags)
    assert known["train"].first == tuple(RECIPES)
    assert "facades" in known["fetch"].first
    assert known["translate"].first == ()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_is_printed_and_names_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in cli.VERBS)


@pytest.mark.parametrize("words", [[], ["tcsh"], ["bash", "zsh"]])
def test_a_shell_that_is_none_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", *words]) == 2
    assert "wanted one shell of bash, zsh, fish" in capsys.readouterr().err


def _bash(script: Path, *words: str) -> list[str]:
    """What bash proposes for the last of these words."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    line = " ".join(f"'{word}'" for word in words)
    asked = f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _i2i; echo \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.split()


def test_bash_proposes_commands_recipes_and_flags(scripts: dict[str, Path]) -> None:
    bash = scripts["bash"]
    assert _bash(bash, "i2i", "tra") == ["train", "translate"]
    assert _bash(bash, "i2i", "train", "cyc") == ["cyclegan"]
    assert _bash(bash, "i2i", "train", "pix2pix", "--model.lambda-l") == ["--model.lambda-l1"]
    assert _bash(bash, "i2i", "translate", "--quality", "80", "--qu") == ["--quality"]
    assert _bash(bash, "i2i", "translate", "pho") == []  # then bash looks for files itself


def test_fish_proposes_commands_recipes_and_flags(scripts: dict[str, Path], tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("no fish here")

    def proposed(line: str) -> list[str]:
        asked = f"source '{scripts['fish']}'; complete -C '{line}'"
        home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(
            ["fish", "-c", asked],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
            cwd=tmp_path,
            env=home,
        )
        return [row.split("\t")[0] for row in done.stdout.splitlines()]

    assert proposed("i2i tra") == ["train", "translate"]
    assert proposed("i2i train cyc") == ["cyclegan"]
    assert "--quality" in proposed("i2i translate --qu")


def test_zsh_takes_its_script(scripts: dict[str, Path], tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    asked = f"source '{scripts['zsh']}'; echo $_comps[i2i]"
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    done = subprocess.run(
        ["zsh", "-fc", asked], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, env=home
    )
    assert "_i2i" in done.stdout
