"""A command that breaks names the places in the code, not the row it broke on."""

import subprocess
import sys

BREAKS = """
import threading
from wanjia import cli
def fail():
    raise ValueError("cannot read the row 459999199001011234 13812345678")
def app():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    fail()
cli.app = app
cli.main()
"""


def test_the_fault_of_a_command_and_of_its_thread_is_told_without_its_text():
    done = subprocess.run([sys.executable, "-c", BREAKS], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 1
    assert "the command ends" in done.stderr
    assert "a thread ends" in done.stderr
    assert "459999" not in done.stdout + done.stderr
    assert "138123" not in done.stdout + done.stderr
