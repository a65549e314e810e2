import gc
import sys
from types import ModuleType

import pytest

from i2i.cli.importing import _let_go, importing


def test_garbage_is_looked_for_after_the_imports_and_not_among_them() -> None:
    before = gc.get_freeze_count()
    with importing():
        assert not gc.isenabled()
        kept = [[] for _ in range(100)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)
    gc.unfreeze()


def test_a_failed_import_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


@pytest.mark.parametrize("loaded", [False, True])
def test_what_triton_brought_is_let_go_at_the_end(loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "triton", raising=False)
    if loaded:
        monkeypatch.setitem(sys.modules, "triton", ModuleType("triton"))
    with importing():
        pass
    _let_go()
    assert (gc.get_freeze_count() == 0) == loaded
    gc.unfreeze()
