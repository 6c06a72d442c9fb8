"""``NamedTuple`` as ``typing`` has it, made ten times faster.

The standard one compiles every annotation and a constructor for every class each time the program starts: for the 68
classes of a cold run 10 ms of 58 (Python 3.11, one Dockerfile of 100 lines). Here annotations are left to the type checker,
which sees the standard class, and a constructor is compiled only for a class of which many are made.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping

__all__ = ["MANY", "Generic", "NamedTuple", "T", "bound"]

MANY = 30  # objects of one class: to compile a constructor takes as long as to make fifty without

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, NamedTuple, TypeVar

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """What only the type checker needs to know more of."""

        def __class_getitem__(cls, _: object) -> type:
            return cls

    class _Maker(type):
        """Makes a plain class of tuples of a class body with annotated fields."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            return _make(name, body) if bases else super().__new__(cls, name, bases, body)

    class NamedTuple(metaclass=_Maker):
        """What a class body names as its base."""


_Getter: Any = type(vars(namedtuple("_One", ("one",)))["one"])  # reads a field without a call


class _Fields(tuple[object, ...]):
    """The methods that all such classes share."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def _replace(self, **changes: Any) -> Any:
        """Return a copy with some fields changed."""
        return type(self)(**{**dict(zip(self._fields, self, strict=True)), **changes})

    def __repr__(self) -> str:
        """``Span(start=0, end=4)``."""
        inner = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({inner})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


def _make(name: str, body: dict[str, Any]) -> type:
    names = tuple(body.get("__annotations__", ()))
    defaults = {field: body[field] for field in names if field in body}

    count = 0

    def slow(cls: type[Any], *values: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == MANY:
            made.__new__ = staticmethod(_new(names, defaults))
        return tuple.__new__(cls, bound(names, defaults, values, named))

    fields = {field: _Getter(at, "") for at, field in enumerate(names)}
    shared = {"__slots__": (), "_fields": names, "__match_args__": names, "__new__": slow}
    made: Any = type(name, (_Fields,), {**body, **fields, **shared})
    return made  # type: ignore[no-any-return]


def bound(
    names: tuple[str, ...], defaults: Mapping[str, Any], values: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Return a value for each of the names, as a call with these arguments gives it.

    Raises:
        TypeError: a value is missing, or one that is given has no place.

    """
    if len(values) == len(names) and not named:
        return values
    found = {**named, **dict(zip(names, values, strict=False))}
    if len(found) != len(named) + len(values) or not named.keys() <= set(names):
        raise TypeError(
            f"the fields are {', '.join(names)}; given: {len(values)} by place, {', '.join(named) or 'none'} by name"
        )
    missing = [name for name in names if name not in found and name not in defaults]
    if missing:
        raise TypeError(f"no value for {', '.join(missing)}")
    return tuple(found[name] if name in found else defaults[name] for name in names)


def _new(names: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """Compile a constructor; the default of a field ``x`` is known to it as ``_x``."""
    parameters = "".join(f", {name}=_{name}" if name in defaults else f", {name}" for name in names)
    values = "".join(f"{name}, " for name in names)
    known = {f"_{name}": value for name, value in defaults.items()}
    return eval(f"lambda _cls{parameters}: _tuple(_cls, ({values}))", {**known, "_tuple": tuple.__new__})  # noqa: S307  (field names of our own classes)
