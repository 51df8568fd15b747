"""建档立卡: households, people, membership, years, and every change to them."""
