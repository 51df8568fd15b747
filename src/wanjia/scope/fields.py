"""Encrypted columns. What Python sees is a `Sealed`: a mask everywhere, the value on request.

    phone = EncryptedTextField(aad="household_no", mask="phone")

The value is bound to table, column and the row's `aad` field, which must be set before the
row is saved and never change (a value copied to another row does not open there). Reading
`.clear()` is for services that have recorded the access.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

from wanjia.protection.masking import HIDDEN, MASKS
from wanjia.scope.keys import keyring


class Sealed:
    """A personal value that shows only its mask until `.clear()` is called.

    Either fresh (set in this process, not yet written) or stored (as read). Shows nothing in
    tracebacks, is not pickled into caches, compares by what it holds.
    """

    __slots__ = ("__plain", "blob", "context", "mask")

    def __init__(self, *, mask: str, context: str | None, plain: str | None = None, blob: bytes | None = None) -> None:
        self.__plain = plain
        self.blob = blob
        self.context = context
        self.mask = mask

    def clear(self) -> str:
        """The value itself. Record the access first. Raises Unreadable, or ValueError when unbound."""
        if self.__plain is not None:
            return self.__plain
        if self.context is None or self.blob is None:
            raise ValueError("this sealed value was read without its row: use Sealed.bound_to or the model's instance")
        return keyring().cipher.decrypt(self.blob, self.context)

    @property
    def masked(self) -> str:
        """What may stand on a screen."""
        if self.context is None and self.__plain is None:
            return HIDDEN
        return MASKS[self.mask](self.clear())

    def bound_to(self, context: str | None) -> Sealed:
        """The same value for the row `context` names."""
        if context == self.context:
            return self
        if self.context is None or self.__plain is not None:
            return Sealed(mask=self.mask, context=context, plain=self.__plain, blob=self.blob)
        return Sealed(mask=self.mask, context=context, plain=self.clear())  # was another row's: sealed anew

    def sealed(self) -> bytes:
        """The column's bytes. Raises ValueError when there is no row to bind to."""
        if self.context is None:
            raise ValueError("an encrypted value is saved through its row, after the field it is bound to is set")
        if self.blob is None:
            return keyring().cipher.encrypt(self.clear(), self.context)
        return self.blob

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return "<Sealed>"  # repr is what tracebacks and debuggers print

    def __bool__(self) -> bool:
        return self.__plain != ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.clear() == other.clear()

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: object) -> Sealed:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value is not pickled: it would leave the database in clear or useless")


class _SealedAttribute(DeferredAttribute):
    """Binds what is read to the row it is read from, and seals what is assigned at once."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if not isinstance(value, Sealed):
            return value
        bound = value.bound_to(self.field.context_of(instance))
        instance.__dict__[self.field.attname] = bound
        return bound

    def __set__(self, instance: models.Model, value: object) -> None:
        if isinstance(value, str):
            value = Sealed(mask=self.field.mask, context=None, plain=value)
        elif value is not None and not isinstance(value, Sealed) and not hasattr(value, "resolve_expression"):
            raise TypeError(f"{self.field.name} takes text, not {type(value).__name__}")
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """Text encrypted in the column; see the module.

    `aad` names the field of the row whose value the ciphertext is bound to; `mask` the mask
    of `wanjia.protection.masking` it is shown with.
    """

    descriptor_class = _SealedAttribute

    def __init__(self, *args: Any, aad: str, mask: str = "all", **kwargs: Any) -> None:
        if mask not in MASKS:
            raise ValueError(f"no mask {mask!r}; there are {', '.join(MASKS)}")
        self.aad = aad
        self.mask = mask
        kwargs["editable"] = False  # no model form may carry it
        super().__init__(*args, **kwargs)

    def get_default(self) -> Any:
        """Text's default, where a binary column's would be b""."""
        return models.Field.get_default(self)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, {**kwargs, "aad": self.aad, "mask": self.mask}

    def context(self, key: object) -> str:
        """What a value of the row with this key is bound to."""
        return f"{self.model._meta.db_table}.{self.column}:{key}"

    def context_of(self, row: models.Model) -> str | None:
        """The same for a row at hand; None while its key is not set."""
        key = getattr(row, self.aad)
        return None if key is None or key == "" else self.context(key)

    def from_db_value(self, value: Any, _expression: object, _connection: BaseDatabaseWrapper) -> Sealed | None:
        return None if value is None else Sealed(mask=self.mask, context=None, blob=bytes(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if isinstance(value, str):
            raise ValueError(f"{self.name} is encrypted per row: assign it to the row and save that")  # noqa: TRY004
        if isinstance(value, Sealed):
            value = value.sealed()
        return super().get_db_prep_value(value, connection, prepared)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched; use the row's person_key")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        """Serializers get the mask."""
        return str(self.value_from_object(obj) or "")


def _encrypted(model: type[models.Model], name: str) -> EncryptedTextField:
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedTextField):
        raise TypeError(f"{model._meta.label}.{name} is not encrypted")
    return field


def seal_column(
    model: type[models.Model], name: str, keys: Iterable[object], plains: Iterable[str | None]
) -> list[bytes | None]:
    """The bytes of a whole column for set-based loading; `keys` are the rows' aad values, in order."""
    field = _encrypted(model, name)
    prefix = field.context("")
    return keyring().cipher.encrypt_many(plains, [f"{prefix}{key}" for key in keys])


def open_column(
    model: type[models.Model], name: str, keys: Iterable[object], blobs: Sequence[bytes | None]
) -> list[str | None]:
    """The clear values of a column read in bulk. Record the access first."""
    field = _encrypted(model, name)
    prefix = field.context("")
    return keyring().cipher.decrypt_many(blobs, [f"{prefix}{key}" for key in keys])
