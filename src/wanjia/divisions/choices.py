from django.db import models


class Level(models.TextChoices):
    """The level of a division; the same words as `wanjia.scope.areas.level_of`."""

    PROVINCE = "province", "自治区/省"
    CITY = "city", "设区市"
    COUNTY = "county", "县(市、区)"
    TOWNSHIP = "township", "乡镇(街道)"
    VILLAGE = "village", "行政村(社区)"
