from wanjia.resolution.services.resolve import address_of, match_extract, resolve_batch, strangers_extract

__all__ = ["address_of", "match_extract", "resolve_batch", "strangers_extract"]
