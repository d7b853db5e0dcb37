"""Laws are about results, never about time: a busy machine must not fail one."""

from hypothesis import settings

settings.register_profile("hub", deadline=None)
settings.load_profile("hub")
