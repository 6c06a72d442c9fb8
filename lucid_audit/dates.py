"""``date`` and ``timedelta``, without what ``datetime`` reads first: up to Python 3.11 all of its classes a second time."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date, timedelta
else:
    try:
        from _datetime import date, timedelta  # which datetime itself takes them from
    except ImportError:
        from datetime import date, timedelta

__all__ = ["date", "timedelta"]
