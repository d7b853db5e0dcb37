"""Every screen behind the sign-in, in the order in which addresses are matched: records last, for they match most."""

from api.console import deciding, help, home, queue, records, review, search, views

ROUTERS = (
    home.router,
    help.router,
    search.router,
    queue.router,
    views.router,
    review.router,
    deciding.router,
    records.router,
)
