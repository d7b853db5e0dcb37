"""Every screen behind the sign-in, in the order in which addresses are matched: records last, for they match most."""

from api.console import home, queue, records, review, search

ROUTERS = (home.router, search.router, queue.router, review.router, records.router)
