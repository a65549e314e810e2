"""Exported networks that come from elsewhere: what is not a generator of ours is never run."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from i2i import cli, images
from i2i.errors import ModelFileError, SettingsError
from i2i.translator import Translator, load_network
from i2i.translator.exported import MAX_BYTES, load_exported

onnx = pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).parent))
import small_onnx as small  # noqa: E402


def test_an_export_is_read_with_its_card(tmp_path: Path) -> None:
    path = small.write(tmp_path / "a.onnx", small.identity())
    network, card = load_exported(path)
    assert card == small.CARD_OF_IT
    assert network.multiple == 4
    assert load_network(path)[1] == card
    with pytest.raises(ModelFileError, match="AtoB alone"):
        load_network(path, "BtoA")


def test_another_onnx_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = small.identity()
    del model.metadata_props[:]
    path = small.write(tmp_path / "a.onnx", model)
    images.write(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert cli.main(["translate", str(path), str(tmp_path / "a.png"), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "without i2i's description" in said
    assert said.count("\n") == 1


def outside(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def outside_constant(model: Any) -> None:
    tensor = onnx.TensorProto(name="t", data_type=onnx.TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["c"], value=tensor))


def outside_unsaid(model: Any) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="x")


def own_domain(model: Any) -> None:
    model.opset_import.add(domain="com.evil", version=1)


def own_operator(model: Any) -> None:
    model.graph.node[0].domain = "com.evil"


def loop(model: Any) -> None:
    model.graph.node.append(onnx.helper.make_node("Loop", ["a", "b"], ["c"], body=onnx.GraphProto()))


def graph_inside(model: Any) -> None:
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("body", onnx.GraphProto(name="g")))


def function(model: Any) -> None:
    model.functions.add(name="Conv", domain="")


def sparse(model: Any) -> None:
    model.graph.sparse_initializer.add()


def two_inputs(model: Any) -> None:
    model.graph.input.append(model.graph.input[0])


def other_channels(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1


def other_output(model: Any) -> None:
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.STRING


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (outside, "weights lie in another file"),
        (outside_constant, "weights lie in another file"),
        (outside_unsaid, "weights lie in another file"),
        (own_domain, "needs operators of 'com.evil'"),
        (own_operator, "has an operator 'Conv'"),
        (loop, "has an operator 'Loop'"),
        (graph_inside, "holds a graph"),
        (function, "functions"),
        (sparse, "sparse"),
        (two_inputs, "its input is not one picture of 3 channels"),
        (other_channels, "its input is not one picture of 3 channels"),
        (other_output, "its output is not one picture of 3 channels"),
    ],
)
def test_what_is_no_generator_is_not_run(tmp_path: Path, change: Callable[[Any], None], reason: str) -> None:
    model = small.identity()
    change(model)
    with pytest.raises(ModelFileError, match=reason) as raised:
        load_exported(small.write(tmp_path / "a.onnx", model))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"card": "{}"}, "description cannot be used"),
        ({"card": "x" * 70_000}, "a card has 500"),
        ({"multiple": "0"}, "multiple: '0'"),
        ({"multiple": "99999999999999"}, "multiple: '99999999999999'"),
        ({"multiple": "\u0664"}, "multiple"),
        ({"format": "theirs"}, "without i2i's description"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(tmp_path: Path, metadata: dict[str, str], reason: str) -> None:
    model = small.identity()
    small.describe(model, **metadata)
    with pytest.raises(ModelFileError, match=reason):
        load_exported(small.write(tmp_path / "a.onnx", model))


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\x08\x12" + b"\xff" * 40])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"a\.onnx"):
        load_exported(tmp_path / "a.onnx")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders, no holes in files")
def test_pipes_and_endless_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelFileError, match="not a file"):
        load_exported(tmp_path / "pipe.onnx")
    with (tmp_path / "long.onnx").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ModelFileError, match=r"2\.1 at most"):
        load_exported(tmp_path / "long.onnx")


def test_without_the_package_onnx_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"i2i-toolkit\[onnx\]"):
        load_exported(tmp_path / "a.onnx")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_an_engine_that_refuses_the_network_is_one_line(tmp_path: Path, engine: Any) -> None:
    pytest.importorskip(engine)
    model = small.identity()
    model.graph.node[0].input[0] = "nowhere"
    translator = Translator.load(small.write(tmp_path / "a.onnx", model), backend=engine)
    with pytest.raises(ModelFileError, match=f"{engine} cannot run it") as raised:
        translator(np.zeros((8, 8, 3), np.uint8))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_go_through_an_export(tmp_path: Path, engine: Any, dtype: Any) -> None:
    pytest.importorskip(engine)
    path = small.write(tmp_path / "a.onnx", small.identity())
    translator = Translator.load(path, backend=engine, precision="fp32")
    for size in ((1, 1), (5, 9), (16, 8)):
        picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (*size, 3)).astype(dtype)
        assert np.array_equal(translator(picture), picture)
    assert translator.backend.name == engine


def test_an_export_needs_an_engine_and_keeps_its_norms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small.write(tmp_path / "a.onnx", small.identity())
    with pytest.raises(SettingsError, match="is exported"):
        Translator.load(path, backend="torch")
    with pytest.raises(SettingsError, match="norm mode running"):
        Translator.load(path, norm_mode="picture")
    monkeypatch.setattr("i2i.translator.backends.choosing.installed", list)
    with pytest.raises(SettingsError, match="neither onnxruntime nor openvino is installed"):
        Translator.load(path)
