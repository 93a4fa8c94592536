import itertools, pytest
from fractions import Fraction
from tests.streams.test_books import Desk, MULTIPLIERS, _differ
from tests.streams.strategy import PRODUCTS, Book, rounds
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed",range(6))
def test_seed(plant, seed):
    plant.sandbox.switches(fees=False)
    d=Desk(plant)
    books = {(n, product.root): Book(product) for n in MULTIPLIERS for product in PRODUCTS}
    for now in rounds(seed, 500):
        for one, multiplier in itertools.product(now, MULTIPLIERS):
            for before, after in itertools.pairwise(one.positions):
                books[multiplier, one.product.root].trade((after - before) * multiplier, one.price)
        d.play(now)
    for trader, multiplier in zip(d.traders, MULTIPLIERS, strict=True):
        expected = {product.root: books[multiplier, product.root].realized for product in PRODUCTS}
        ours = {root: Fraction(d.realized(trader, root)) for root in expected}
        print({r: float(ours[r]-a) for r,a in expected.items()})
        assert not any(_differ(ours[r],a) for r,a in expected.items())
        assert not _differ(Fraction(str(d.venue(trader)["balance"])) - 10_000_000, sum(expected.values()))
