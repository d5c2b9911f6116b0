"""/api/v1/search: the same search, for programs."""

from typing import Any

from core.permissions import me, requires
from core.schemas import ApiBlueprint
from plugins.search import services
from plugins.search.asking import Refined
from plugins.search.permissions import READ
from plugins.search.schemas import ResultsSchema, SearchArguments
from plugins.search.spelling import did_you_mean

bp = ApiBlueprint("search_api", __name__, description="Search over everything")


@bp.route("/search", methods=["GET"])
@requires(READ, portal=True)
@bp.arguments(SearchArguments, location="query")
@bp.response(200, ResultsSchema)
def find(arguments: dict[str, Any]) -> Any:
    """Find `q` among what you may see: best first, or sorted by date."""
    types = [part for one in arguments["type"] for part in one.split(",") if part]
    results = services.search(
        me(),
        arguments["q"],
        types=types,
        limit=arguments["limit"],
        refined=Refined(arguments["sort"]),
    )
    return {
        "did_you_mean": did_you_mean(me(), arguments["q"], results, types=types),
        "total": results.total,
        "total_is_exact": results.total_is_exact,
        "is_relaxed": results.is_relaxed,
        "is_partial": results.is_partial,
        "is_degraded": results.is_degraded,
        "too_many": list(results.too_many),
        "items": [
            {
                "ref": one.ref,
                "type": one.type,
                "title": one.title,
                "snippet": services.plain(one.snippet),
                "url": one.url,
            }
            for one in results.items
        ],
    }
