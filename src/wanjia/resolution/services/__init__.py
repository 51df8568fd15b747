from wanjia.resolution.services.resolve import address_of, resolve_batch

__all__ = ["address_of", "resolve_batch"]
