"""Every screen behind the sign-in, in the order in which addresses are matched: records last, for they match most."""

from api.console import (
    audit,
    deciding,
    exceptions,
    help,
    home,
    onboarding,
    pipeline,
    quality,
    queue,
    reconciliation,
    records,
    review,
    search,
    views,
)

ROUTERS = (
    home.router,
    help.router,
    search.router,
    queue.router,
    views.router,
    review.router,
    deciding.router,
    exceptions.router,
    onboarding.router,
    reconciliation.router,
    quality.router,
    pipeline.router,
    audit.router,
    records.router,
)
