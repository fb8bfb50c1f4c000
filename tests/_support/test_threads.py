"""What is made ahead comes in order, is not made too early, and fails where it is asked for."""

import threading
from itertools import count

import pytest

from nullmode._support.threads import ahead


@pytest.mark.parametrize("most", [1, 2, 5])
def test_items_come_in_order_and_not_too_early(most):
    made = []

    def items():
        for k in range(20):
            made.append((k, threading.current_thread()))
            yield k

    for k, item in enumerate(ahead(items(), most)):
        assert item == k
        assert len(made) <= k + 1 + most
    assert len(made) == 20
    assert {thread for _, thread in made} != {threading.current_thread()}


def test_an_error_is_raised_at_its_item():
    stream = ahead((10 // (3 - k) for k in count()), 3)
    assert [next(stream) for _ in range(3)] == [3, 5, 10]
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_who_stops_early_waits_for_nothing_else():
    made = []
    stream = ahead((made.append(k) for k in count()), 2)
    next(stream)
    stream.close()
    assert len(made) <= 4
