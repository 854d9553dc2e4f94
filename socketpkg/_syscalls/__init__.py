"""The name that `socketpkg.contract` had before it was public. Kept for the backends of others that import it."""

from ..contract import *  # noqa: F403
