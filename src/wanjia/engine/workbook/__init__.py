"""Excel workbooks of others, opened in a child process of bounded memory: what is in them, cell by cell as text.

`package` and `sheet` are what the child runs and import the standard library alone; `child` is
its entry; `process` is the side that asks (docs/adr/0025-workbooks-are-read-as-a-stream.md).
"""
