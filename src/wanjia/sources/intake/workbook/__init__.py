"""Excel workbooks, opened in a child process of bounded memory: what is in them, and their rows as text.

`package` and `sheet` are what the child runs and import the standard library alone; `child` is
its entry; `process` is the side that asks.
"""
