"""The same installation with a cipher that hides nothing: the search must find what it would hide."""

from tests.leaks.settings import *  # noqa: F403 - settings modules override by name

WANJIA_CIPHER = "tests.common.null_cipher.NullCipher"
TESTING = True
