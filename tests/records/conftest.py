"""The shop for the tests of this folder."""

from tests.records.shop import shop_file, shop_url, shops

__all__ = ["shop_file", "shop_url", "shops"]
