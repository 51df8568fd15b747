from wanjia.comparison.services.run import discard_run, release_run, request_run, run_comparison

__all__ = ["discard_run", "release_run", "request_run", "run_comparison"]
