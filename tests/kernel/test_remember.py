from wanjia.kernel import remember
from wanjia.kernel.remember import Remembered, look_again_everywhere


class Table:
    """A table that counts how often it is read."""

    def __init__(self):
        self.token, self.value, self.reads = "1", "first", 0

    def read(self):
        self.reads += 1
        return self.value


def test_a_value_is_read_once_until_its_token_changes():
    table = Table()
    held = Remembered(table.read, lambda: table.token)

    assert [held.get() for _ in range(3)] == ["first"] * 3
    held.look_again()
    assert held.get() == "first"
    assert table.reads == 1

    table.token, table.value = "2", "second"
    assert held.get() == "first"  # nobody has looked yet
    look_again_everywhere()
    assert held.get() == "second"
    assert table.reads == 2


def test_the_token_is_looked_at_again_after_a_while(monkeypatch):
    table = Table()
    held = Remembered(table.read, lambda: table.token)
    held.get()
    table.token, table.value = "2", "second"
    later = remember.time.monotonic() + remember.LOOK_AGAIN_AFTER + 1
    monkeypatch.setattr(remember.time, "monotonic", lambda: later)

    assert held.get() == "second"
