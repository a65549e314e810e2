import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from i2i import conversion, images
from i2i.app.limits import Limits
from i2i.app.shelf import Shelf
from i2i.app.translating import Done, translate
from i2i.app.turns import SharedTranslator
from i2i.app.workspace import JobFolder, Workspace
from i2i.errors import DatasetError, SettingsError, UserError
from i2i.translator import Translator


@pytest.fixture
def translator(tmp_path, tiny):
    return Shelf([tiny(tmp_path / "model/tiny.safetensors")], device="cpu", precision="fp32").open(
        "tiny.safetensors", None
    )


@pytest.fixture
def folder():
    workspace = Workspace()
    yield workspace.job()
    workspace.close()
    assert not workspace.root.exists()


def finished(steps) -> tuple[list[conversion.Progress], Done]:
    *before, done = list(steps)
    assert isinstance(done, Done)
    return before, done


def test_pictures_are_translated_as_i2i_translates_them(translator, picture, folder: JobFolder):
    sources = [picture("a.png", (20, 30)), picture("b.jpg", (33, 17), seed=1)]
    before, done = finished(translate(translator, sources, folder, Limits()))
    assert [(source.name, target.name) for source, target in done.made] == [("a.png", "a.png"), ("b.jpg", "b.jpg")]
    assert done.refused == []
    assert done.note == ""
    for source, target in done.made:
        assert images.read(target).shape == images.read(source).shape
    assert np.array_equal(images.read(done.made[0][1]), translator(images.read(sources[0])))
    assert before[-1].done == before[-1].total == 2
    assert done.zipped is not None
    with zipfile.ZipFile(done.zipped) as zipped:
        assert sorted(zipped.namelist()) == ["a.png", "b.jpg"]
        assert zipped.read("a.png") == done.made[0][1].read_bytes()


def test_one_picture_needs_no_zip_and_a_format_is_obeyed(translator, picture, folder):
    _, done = finished(translate(translator, [picture("a.png")], folder, Limits(), format="jpg"))
    assert done.zipped is None
    assert done.made[0][1].name == "a.jpg"


def test_pictures_that_only_formats_tell_apart_can_have_one_format(translator, picture, folder):
    sources = [picture("a.png"), picture("a.jpg", seed=1)]
    _, done = finished(translate(translator, sources, folder, Limits(), format="png"))
    assert [target.name for _, target in done.made] == ["a (2).png", "a.png"]
    assert done.zipped is not None


def test_what_ends_it_all_is_said_without_our_folders(translator, picture, folder, monkeypatch):
    said = f"{folder.inputs}/a.png and {folder.outputs}/b: {folder.outputs} is no folder; {folder.root}/x"

    def fails(*_, **__):
        raise SettingsError(said)

    monkeypatch.setattr(conversion, "translate", fails)
    with pytest.raises(UserError, match=r"^a.png and b: translated is no folder; x$"):
        list(translate(translator, [picture("a.png")], folder, Limits()))


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(translator, picture, folder, tmp_path):
    whole = picture("cut.png", (64, 64)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    _, done = finished(translate(translator, [tmp_path / "cut.png", picture("fine.png")], folder, Limits()))
    assert [source.name for source, _ in done.made] == ["fine.png"]
    assert [one.name for one in done.refused] == ["cut.png"]
    assert str(folder.root) not in done.refused[0].reason


def test_a_folder_of_wide_pictures_is_no_question_here(translator, picture, folder):
    """Twice as wide as high may be pairs side by side; whoever drops them here wants them as they are."""
    _, done = finished(translate(translator, [picture(f"{i}.png", (16, 32)) for i in range(3)], folder, Limits()))
    assert len(done.made) == 3


def test_nothing_is_said_where_nothing_was_dropped(translator, folder):
    with pytest.raises(DatasetError, match="no pictures yet"):
        next(translate(translator, [], folder, Limits()))


def test_all_refused_is_an_answer(translator, folder, tmp_path):
    (tmp_path / "a.txt").write_text("")
    _, done = finished(translate(translator, [tmp_path / "a.txt"], folder, Limits()))
    assert (done.made, len(done.refused)) == ([], 1)


class Held:
    """Lets a translator's batches through one by one."""

    def __init__(self, translator, monkeypatch):
        self.entered, self.go = threading.Semaphore(0), threading.Semaphore(0)
        real = type(translator).translate_together

        def slow(this, pictures):
            self.entered.release()
            assert self.go.acquire(timeout=300)
            return real(this, pictures)

        monkeypatch.setattr(type(translator), "translate_together", slow)
        monkeypatch.setattr("i2i.conversion.pipeline.cores", lambda: 1)  # many would have read all of them meanwhile


def test_once_stopped_what_is_begun_is_finished_and_the_rest_is_left(translator, picture, folder, monkeypatch):
    held, stop = Held(translator, monkeypatch), threading.Event()
    # Of a size each, so that each is a batch.
    sources = [picture(f"{i:02}.png", (16 + 8 * i, 16)) for i in range(40)]
    found: list[Done] = []

    def work() -> None:
        found.append(finished(translate(translator, sources, folder, Limits(), stop=stop))[1])

    thread = threading.Thread(target=work)
    thread.start()
    assert held.entered.acquire(timeout=300)
    stop.set()
    for _ in sources:
        held.go.release()
    thread.join()
    (done,) = found
    assert 1 <= len(done.made) < 40
    assert done.note == f"{40 - len(done.made)} of 40 not translated: it was stopped."


def test_time_over_leaves_the_rest_and_says_so(translator, picture, folder, monkeypatch):
    held = Held(translator, monkeypatch)
    clocks = []

    class Clock:
        def __init__(self, seconds, end):
            assert seconds == 7
            self.end = end
            clocks.append(self)

        def start(self):
            pass

        def cancel(self):
            pass

    monkeypatch.setattr("i2i.app.translating.threading.Timer", Clock)
    sources = [picture(f"{i:02}.png", (16 + 8 * i, 16)) for i in range(40)]
    found: list[Done] = []
    thread = threading.Thread(
        target=lambda: found.append(finished(translate(translator, sources, folder, Limits(seconds=7)))[1])
    )
    thread.start()
    assert held.entered.acquire(timeout=300)
    clocks[0].end()
    for _ in sources:
        held.go.release()
    thread.join()
    assert "the 7 s of one translation here are over" in found[0].note


def test_a_page_that_is_closed_stops_its_translation(translator, picture, folder, monkeypatch):
    held, stop = Held(translator, monkeypatch), threading.Event()
    sources = [picture(f"{i:02}.png", (16 + 8 * i, 16)) for i in range(40)]
    held.go.release()

    def let_go() -> None:
        stop.wait(120)
        for _ in sources:
            held.go.release()

    thread = threading.Thread(target=let_go)
    thread.start()
    steps = translate(translator, sources, folder, Limits(), stop=stop)
    next(steps)
    steps.close()
    thread.join()
    assert 1 <= len(list(folder.outputs.iterdir())) < 40


def test_folders_have_names_that_nobody_guesses(tmp_path):
    workspace = Workspace()
    one, two = workspace.job(), workspace.job()
    assert one.root != two.root
    assert len(one.root.name) == 32
    one.remove()
    assert not one.root.exists()
    assert two.inputs.is_dir()
    workspace.close()


def test_two_at_once_take_turns(translator, picture, tmp_path, monkeypatch):
    """Both end, each with its own pictures, and the network never sees a batch of one while it has the other's."""
    workspace = Workspace()
    found: dict[str, Done] = {}
    real, alone, begin = Translator.translate_together, threading.Lock(), threading.Barrier(2)
    met: list[str] = []

    def watched(this, pictures):
        if not SharedTranslator.turns.waiting:
            met.append("nobody's turn")
        if not alone.acquire(blocking=False):
            met.append("somebody else inside")
            return real(this, pictures)
        try:
            return real(this, pictures)
        finally:
            alone.release()

    monkeypatch.setattr(Translator, "translate_together", watched)

    def work(who: str) -> None:
        sources = [picture(f"{who}{i}.png", folder=tmp_path / who, seed=i) for i in range(6)]
        begin.wait(300)
        found[who] = finished(translate(translator, sources, workspace.job(), Limits()))[1]

    threads = [threading.Thread(target=work, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in "ab":
        assert [Path(source).name for source, _ in found[who].made] == [f"{who}{i}.png" for i in range(6)]
    assert met == []
    workspace.close()
