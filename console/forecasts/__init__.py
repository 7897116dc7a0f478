"""What a workflow would do before it does it: whom it would reach, how far they would come, and at what cost. Nothing is written to anybody's data or sent."""

from console.forecasts import kept_funnels

OPEN_MODULES = frozenset({"chances", "estimates", "funnel", "kept_funnels", "spending", "whom_it_lets_in"})
