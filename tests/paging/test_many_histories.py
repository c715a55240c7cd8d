"""Tens of thousands of lists that move while they are read, made from seeds: quicker than looking for them.

What Hypothesis searches in depth, this walks through in breadth: sizes, pages, maxima that shrink, slow pages, orders
that are kept, ignored or tied, windows. Each history has a number, by which it can be run again. The promise is that
of the engine's docstring, and that it ends within few requests.
"""

from __future__ import annotations

import random

import pytest

from planhat_orm.errors import PaginationError

ROOM = 290  # tables have every fourth number below it, so that inserts find room anywhere


def history(dice, length, busy):
    kinds = ["insert"] * 3 + ["delete"] * 3 + ["purge"] * dice.randrange(2)
    return [
        [
            (kind, dice.randrange(1, 30) if kind == "purge" else dice.randrange(ROOM))
            for kind in dice.choices(kinds, k=dice.randrange(busy))
        ]
        for _ in range(length)
    ]


def mixed(seed, values=2**32):
    """Return a key that puts ids in an order of its own, with ties where there are few values."""
    return lambda one: (int(one, 16) + seed) * 2654435761 % 2**32 % values


def made(sim, dice, **more):
    rows = dice.choice([0, 1, 2, 9, 25, 45, 70])
    drift = history(dice, dice.choice([0, 3, 8, 25]), dice.choice([2, 4, 9]))
    slow = frozenset(dice.choices(range(12), k=dice.choice([0, 0, 1, 3])))
    return sim.Server(sim.make_ids(range(0, 4 * rows, 4)), drift=drift, slow=slow, **more)


@pytest.mark.parametrize("block", range(8))
def test_by_id_nothing_is_lost_or_repeated(sim, block):
    finished = 0
    for seed in range(block * 2000, block * 2000 + 2000):
        dice = random.Random(seed)
        server = made(sim, dice)
        if (result := sim.read_or_crowded_out(server, page_size=dice.randrange(1, 18))) is None:
            continue
        handed, report = result
        assert handed == sorted(set(handed)), seed
        assert server.persistent <= set(handed) <= server.ever, seed
        assert report.proven, seed
        assert sim.few(server, handed), seed
        finished += 1
    assert finished > 1500  # else the above would say little


@pytest.mark.parametrize("block", range(3))
def test_a_window_holds_all_between_its_ends(sim, block):
    for seed in range(block * 2000, block * 2000 + 2000):
        dice = random.Random(seed)
        server = made(sim, dice)
        start, length = dice.randrange(60), dice.randrange(60)
        if (
            result := sim.read_or_crowded_out(server, page_size=dice.randrange(1, 18), start=start, stop=start + length)
        ) is None:
            continue
        handed, report = result
        assert handed == sorted(set(handed)), seed
        assert len(handed) <= length, seed
        assert report.proven, seed
        if handed:
            last = handed[-1] if len(handed) == length else max(server.ever)
            assert {one for one in server.persistent if handed[0] <= one <= last} <= set(handed), seed


@pytest.mark.parametrize("block", range(3))
def test_maxima_that_shrink_and_grow_lose_nothing(sim, block):
    for seed in range(block * 700, block * 700 + 700):
        dice = random.Random(seed)
        caps = [dice.choice([64, 100, 128, 200, 256, 300, None]) for _ in range(8)]
        if dice.random() < 0.5:
            caps.sort(key=lambda cap: -(cap or 1000))
        server = sim.Server(
            sim.make_ids(range(0, 4 * dice.randrange(700), 4)),
            cap=lambda number, caps=caps: caps[min(number, 7)],
            drift=history(dice, dice.choice([0, 5]), 4),
        )
        handed, report = sim.read(server, page_size=dice.choice([301, 500, 1000]), default_size=30)
        assert handed == sorted(set(handed)), seed
        assert server.persistent <= set(handed) <= server.ever, seed
        assert report.proven, seed
        assert len(server.fetches) <= len(handed) // 63 + 3 + 24 * (len(server.drift) + 1), seed


@pytest.mark.parametrize("block", range(3))
def test_an_order_that_is_ignored_hands_out_no_record_twice_and_ends(sim, block):
    """By id downwards, in any other order, or in one of its own each time."""
    for seed in range(block * 2000, block * 2000 + 2000):
        dice = random.Random(seed)
        kind, page_size = dice.choice(["down", "other", "each time"]), dice.randrange(2, 18)

        def arrange(ids, number, seed=seed, kind=kind):
            if kind == "down":
                return ids[::-1]
            return sorted(ids, key=mixed(seed + (number if kind == "each time" else 0)))

        server = made(sim, dice, arrange=arrange)
        try:
            handed, report = sim.read(server, page_size=page_size)
        except PaginationError:
            pass
        else:
            assert len(handed) == len(set(handed)), seed
            assert set(handed) <= server.ever, seed
            in_order = handed == sorted(handed)
            assert not report.proven or report.pages == 1 or in_order, seed
            if kind != "each time" and not any(server.drift):
                assert server.persistent <= set(handed), seed
        assert len(server.fetches) <= 64 * (len(server.ever) + 2), seed


@pytest.mark.parametrize("block", range(4))
def test_by_another_order_with_ties_that_move_it_is_complete_or_an_error(sim, block):
    """Equal records change places from page to page while nothing comes or goes; or records only come, or only go."""
    complete = 0
    for seed in range(block * 2000, block * 2000 + 2000):
        dice = random.Random(seed)
        values, moving = dice.choice([1, 3, 20, 1000]), dice.random() < 0.5

        def arrange(ids, number, values=values, moving=moving, seed=seed):
            stir = random.Random(seed * 100 + number if moving else seed)
            stirred = stir.sample(ids, len(ids))
            return sorted(stirred if moving else ids, key=mixed(seed, values))

        server = made(sim, dice, arrange=arrange)
        kinds = set() if moving else dice.choice([{"insert"}, {"delete", "purge"}, set()])
        server.drift = [[change for change in step if change[0] in kinds] for step in server.drift]
        try:
            handed, report = sim.read(server, page_size=dice.randrange(2, 18), order="other")
        except PaginationError:
            continue
        assert len(handed) == len(set(handed)), seed
        assert not report.proven or report.pages == 1, seed
        assert server.persistent <= set(handed) <= server.ever, seed
        complete += 1
    assert complete > 600


@pytest.mark.parametrize("block", range(2))
def test_counting_ends_within_few_probes_near_the_number(sim, block):
    for seed in range(block * 2500, block * 2500 + 2500):
        dice = random.Random(seed)
        server = made(sim, dice)
        server.slow = frozenset()
        before = len(server.ids)
        try:
            number = sim.tally(server, page_size=dice.randrange(1, 18))
        except PaginationError:
            assert any(server.drift), seed
            continue
        finally:
            assert len(server.fetches) <= 64, seed
        gone = before - len(server.persistent)
        assert before - gone <= number <= len(server.ever) or any(server.drift), seed
        if not any(server.drift):
            assert number == before, seed
