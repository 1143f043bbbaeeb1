"""Every route, in the order of the documentation."""

from mobilebert_rt.server.routes import embeddings, information, labels, page, tokens
from mobilebert_rt.server.routes.route import Context, Route

ROUTES: tuple[Route, ...] = (*embeddings.ROUTES, *labels.ROUTES, *tokens.ROUTES, *information.ROUTES, *page.ROUTES)

__all__ = ["ROUTES", "Context", "Route"]
