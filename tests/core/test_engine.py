"""What the engine asks of its driver is still there."""

from psycopg import _queries
from psycopg.adapt import Transformer

from core.engine import make_engine


def test_psycopg_keeps_what_it_made_of_a_long_statement():
    make_engine("postgresql://nobody@localhost/nothing").dispose()
    statement = f"SELECT %(number)s, '{'x' * 6_000}'"
    kept = []
    for _time in range(2):
        query = _queries.PostgresQuery(Transformer())
        query.convert(statement, {"number": 1})
        kept.append(_queries._query2pg.cache_info().hits)
    assert kept[1] > kept[0]
