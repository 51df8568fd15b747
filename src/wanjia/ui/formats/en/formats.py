"""The English pages write dates as the Chinese ones do: one file, one date, no guessing of months."""

from wanjia.ui.formats.zh_Hans.formats import *  # noqa: F403 - the two are meant to be the same
