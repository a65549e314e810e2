import threading

from i2i.app.turns import Turns


def test_who_asked_first_is_next():
    turns, served = Turns(), []
    holding, threads = turns.turn(), []

    def ask(who: int) -> None:
        with turns.turn():
            served.append(who)

    with holding:
        for who in range(5):
            threads.append(threading.Thread(target=ask, args=(who,)))
            threads[-1].start()
            while turns.waiting < who + 2 and threads[-1].is_alive():  # until it has asked
                threads[-1].join(0.001)
        assert served == []
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]
    assert turns.waiting == 0


def test_one_who_waits_comes_before_one_who_comes_back():
    turns, served = Turns(), []

    def ask() -> None:
        with turns.turn():
            served.append("second")

    waiting = threading.Thread(target=ask)
    with turns.turn():
        waiting.start()
        while turns.waiting < 2 and waiting.is_alive():
            waiting.join(0.001)
    with turns.turn():  # a plain lock would mostly be taken here
        served.append("first again")
    waiting.join()
    assert served == ["second", "first again"]


def test_a_turn_ends_with_an_error_too():
    turns = Turns()
    try:
        with turns.turn():
            raise ValueError
    except ValueError:
        pass
    with turns.turn():
        assert turns.waiting == 1
