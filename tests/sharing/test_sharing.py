"""There and back over a hub of this machine: what is sent, what is brought, and what is said where that fails."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_hub import FakeHub, Repository
from PIL import Image
from sharing_runs import make_run, save

import i2i
from i2i import hub as hubs
from i2i import sharing
from i2i.errors import ModelFileError, PictureError, SettingsError
from i2i.hub import Name, bring, is_name, parse
from i2i.translator import Translator

NAME = parse("ada/faces")


# --------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("text", ["ada/faces", "hf://ada/faces", Path("hf://ada/faces")])
def test_a_name_is_read(text: str | Path) -> None:
    assert parse(text) == Name("ada", "faces")


def test_a_name_may_have_a_revision() -> None:
    assert parse("hf://ada/faces@v1.0") == Name("ada", "faces", "v1.0")
    assert parse(Path("hf://ada/faces@refs/pr/1")).revision == "refs/pr/1"
    assert str(parse("ada/faces@v1.0")) == "hf://ada/faces@v1.0"


@pytest.mark.parametrize(
    "text", ["faces", "hf://faces", "ada/faces/more", "ada/../x", "https://hub/ada/faces", "a b/c"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="no name on the hub"):
        parse(text)


def test_a_path_is_no_name() -> None:
    assert is_name(Path("hf://ada/faces"))
    assert not is_name(Path("runs/faces"))
    assert not is_name(Path("hf/ada"))


# ---------------------------------------------------------------------------------------------------------------- sent


def test_a_parcel_holds_the_translator_and_its_card_and_no_picture(tmp_path: Path) -> None:
    parcel = sharing.pack(make_run(tmp_path / "run"), NAME)
    assert set(parcel.files) == {"translator.safetensors", "README.md"}
    assert "![" not in parcel.card
    assert parcel.size("translator.safetensors") == (tmp_path / "run" / "translator.safetensors").stat().st_size


def test_samples_are_sent_where_they_are_asked_for_and_another_picture_goes_before_them(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    parcel = sharing.pack(run, NAME, samples=True)
    sent = parcel.files["sample.jpg"]
    assert isinstance(sent, bytes)
    with Image.open(io.BytesIO(sent)) as image:
        assert image.size == (60, 40)
        assert abs(int(np.asarray(image).mean()) - 1200 % 255) < 3  # the last one
    assert "](sample.jpg)" in parcel.card
    other = tmp_path / "mine.png"
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (4000, 20), "white").save(other, exif=exif)
    sent = sharing.pack(run, NAME, samples=True, picture=other).files["sample.jpg"]
    assert isinstance(sent, bytes)
    assert b"where I live" not in sent
    with Image.open(io.BytesIO(sent)) as image:
        assert image.size == (1600, 8)


def test_what_is_asked_for_and_not_there_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for sample in (run / "samples").iterdir():
        sample.unlink()
    with pytest.raises(SettingsError, match="has no samples"):
        sharing.pack(run, NAME, samples=True)
    with pytest.raises(PictureError):
        sharing.pack(run, NAME, picture=tmp_path / "none.png")
    with pytest.raises(SettingsError, match="pushed to main"):
        sharing.pack(run, parse("ada/faces@v1"))


def test_only_whole_translators_are_packed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for model in (run / "checkpoint.pt", tmp_path / "nowhere", tmp_path):
        with pytest.raises(ModelFileError):
            sharing.pack(model, NAME)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((run / "translator.safetensors").read_bytes()[:-10])
    with pytest.raises(ModelFileError, match="not a translator file"):
        sharing.pack(cut, NAME)


def test_one_file_of_a_run_is_sent_under_the_name_that_is_looked_for(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    best = save(run / "best.safetensors")
    parcel = sharing.pack(best, NAME)
    assert parcel.files["translator.safetensors"] == best
    assert "6 pairs of faces" in parcel.card


# ------------------------------------------------------------------------------------------------------ there and back


def test_what_is_pushed_is_pulled_and_translates_as_before(hub: FakeHub, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    place = sharing.push(sharing.pack(run, NAME))
    assert place == f"{hub.address}/ada/faces"
    there = hub.repositories["ada/faces"]
    assert set(there.files) == {"translator.safetensors", "README.md"}
    assert there.files["translator.safetensors"] == (run / "translator.safetensors").read_bytes()
    assert not there.private
    assert there.commits == [f"Share a translator (i2i {i2i.__version__})"]

    out, cards = sharing.pull(NAME, tmp_path / "pulled")
    assert {path.name for path in out.iterdir()} == {"translator.safetensors", "README.md"}
    assert [card.recipe for card in cards] == ["pix2pix"]
    picture = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    before, after = (Translator.load(model, device="cpu", precision="fp32")(picture) for model in (run, out))
    assert np.array_equal(before, after)


def test_a_name_loads_as_a_run_does_and_is_brought_once(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["ada/faces"] = Repository(
        {
            "translator.safetensors": save(tmp_path / "t.safetensors").read_bytes(),
            "README.md": b"# card",
            "model.pkl": b"runs",
            "run_me.py": b"import os",
        }
    )
    for _ in range(2):
        translator = Translator.load("hf://ada/faces", device="cpu")
        assert translator.card.steps == 1200
    assert sorted(hub.downloads()) == ["README.md", "translator.safetensors"]
    assert not any("model.pkl" in line or "run_me" in line for line in hub.asked)


def test_of_two_directions_the_one_asked_for_is_brought_and_a_pull_brings_both(hub: FakeHub, tmp_path: Path) -> None:
    sharing.push(sharing.pack(make_run(tmp_path / "run", two=True), NAME))
    assert Translator.load("hf://ada/faces", device="cpu", direction="BtoA").card.direction == "BtoA"
    assert "translator_BtoA.safetensors" in hub.downloads()
    assert "translator_AtoB.safetensors" not in hub.downloads()
    out, cards = sharing.pull(NAME, tmp_path / "both")
    assert [card.direction for card in cards] == ["AtoB", "BtoA"]
    assert Translator.load(out, device="cpu").card.direction == "AtoB"


def test_a_revision_is_another_model(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["ada/faces"] = Repository(
        {"translator.safetensors": save(tmp_path / "new.safetensors", recipe="new").read_bytes()}
    )
    hub.revisions["ada/faces", "v1"] = Repository(
        {"translator.safetensors": save(tmp_path / "old.safetensors", recipe="old").read_bytes()}
    )
    assert Translator.load("hf://ada/faces@v1", device="cpu").card.recipe == "old"
    assert Translator.load("hf://ada/faces", device="cpu").card.recipe == "new"
    with pytest.raises(ModelFileError, match="no branch, tag or commit 'v2'"):
        Translator.load("hf://ada/faces@v2")


def test_a_private_model_is_private_from_the_start_and_never_by_halves(hub: FakeHub, tmp_path: Path) -> None:
    parcel = sharing.pack(make_run(tmp_path / "run"), NAME)
    sharing.push(parcel, private=True)
    assert hub.repositories["ada/faces"].private
    hub.repositories["ada/open"] = Repository()
    with pytest.raises(ModelFileError, match="everybody can see it, so nothing was sent"):
        sharing.push(sharing.pack(tmp_path / "run", parse("ada/open")), private=True)
    assert not hub.repositories["ada/open"].files


def test_a_pull_overwrites_nothing(hub: FakeHub, tmp_path: Path) -> None:
    sharing.push(sharing.pack(make_run(tmp_path / "run"), NAME))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(SettingsError, match="nothing is overwritten"):
        sharing.pull(NAME, tmp_path / "there")
    assert os.listdir(tmp_path / "there") == ["mine.txt"]  # noqa: PTH208


# -------------------------------------------------------------------------------------------------------- what can fail


def test_without_a_network_the_kept_copy_is_taken_and_said(hub: FakeHub, tmp_path: Path) -> None:
    sharing.push(sharing.pack(make_run(tmp_path / "run"), NAME))
    Translator.load("hf://ada/faces", device="cpu")
    hub.close()
    said: list[str] = []
    assert Translator.load("hf://ada/faces", device="cpu", tell=said.append).card.steps == 1200
    assert len(said) == 1
    assert said[0].endswith("taking the copy that was brought here before.")
    assert f"{hub.address} cannot be reached" in said[0]


def test_without_a_network_and_with_the_other_direction_alone_the_network_is_what_is_missing(
    hub: FakeHub, tmp_path: Path
) -> None:
    sharing.push(sharing.pack(make_run(tmp_path / "run", two=True), NAME))
    bring(NAME, "AtoB")
    hub.close()
    with pytest.raises(ModelFileError, match=r"cannot be reached .*Try again with a network"):
        bring(NAME, "BtoA")


def test_without_a_network_and_a_copy_the_way_out_is_said_in_one_line(hub: FakeHub, tmp_path: Path) -> None:
    parcel = sharing.pack(make_run(tmp_path / "run"), NAME)
    hub.close()
    for attempt in (lambda: bring(NAME), lambda: sharing.pull(NAME, tmp_path / "x"), lambda: sharing.push(parcel)):
        with pytest.raises(ModelFileError) as caught:
            attempt()
        said = str(caught.value)
        assert "\n" not in said
        assert said.startswith(f"hf://ada/faces: {hub.address} cannot be reached (")
        assert "Try again with a network" in said


def test_offline_by_choice_nothing_is_asked(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelFileError, match="HF_HUB_OFFLINE is set"):
        bring(NAME)
    assert hub.asked == []


def test_what_the_hub_refuses_is_said_with_a_way_out(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"there is no such model at .*hf auth login"):
        bring(NAME)
    hub.repositories["ada/faces"] = Repository({"model.bin": b"x"})
    with pytest.raises(ModelFileError, match="holds no translator of i2i"):
        bring(NAME)
    hub.repositories["ada/faces"].gated = True
    with pytest.raises(ModelFileError, match="asks for your consent first"):
        bring(NAME)
    both = {"translator_AtoB.safetensors": save(tmp_path / "a.safetensors").read_bytes()}
    hub.repositories["ada/half"] = Repository(both)
    with pytest.raises(ModelFileError, match=r"has no translator_BtoA\.safetensors, only translator_AtoB"):
        bring(parse("ada/half"), "BtoA")


def test_a_file_that_claims_too_much_is_not_brought(hub: FakeHub) -> None:
    hub.repositories["ada/faces"] = Repository({"translator.safetensors": b"x"})
    hub.claims["translator.safetensors"] = hubs.MOST + 1
    with pytest.raises(ModelFileError, match="are taken at most"):
        bring(NAME)
    hub.claims["translator.safetensors"] = None
    with pytest.raises(ModelFileError, match=r"does not say how large its translator\.safetensors is"):
        bring(NAME)
    assert hub.downloads() == []


def test_a_file_of_a_stranger_is_looked_at_before_it_lies_in_a_folder(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["ada/faces"] = Repository({"translator.safetensors": b"no such thing"})
    with pytest.raises(ModelFileError, match="not a translator file"):
        sharing.pull(NAME, tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_who_is_not_logged_in_is_told_before_anything_is_sent(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel = sharing.pack(make_run(tmp_path / "run"), NAME)
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    with pytest.raises(ModelFileError, match=r"refuses \(401\)|no such model"):
        sharing.push(parcel)
    monkeypatch.delenv("HF_TOKEN")
    hub.asked.clear()
    with pytest.raises(SettingsError, match="hf auth login"):
        sharing.push(parcel)
    assert hub.asked == []


def test_a_card_or_an_upload_that_is_refused_leaves_nothing_behind(hub: FakeHub, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(SettingsError, match="--license wants a name that the hub knows"):
        sharing.push(sharing.pack(run, NAME, licence="bogus"))
    hub.refuses_uploads = True
    with pytest.raises(ModelFileError, match="the upload broke off"):
        sharing.push(sharing.pack(run, NAME))
    assert hub.repositories["ada/faces"].files == {}


def test_without_the_client_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SettingsError, match=r"pip install 'i2i-toolkit\[hub\]'"):
        bring(NAME)


def test_what_has_no_name_of_the_hub_loads_without_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert Translator.load(save(tmp_path / "t.safetensors"), device="cpu").card.steps == 1200
