import pytest
from django.db import transaction

from wanjia.divisions.errors import PlaceAmbiguous, PlaceElsewhere, PlaceMissing, PlaceUnknown
from wanjia.divisions.queries import gazetteer
from wanjia.divisions.resolver import Resolver, mentioned
from wanjia.divisions.services import load_divisions

pytestmark = pytest.mark.django_db  # so that the test database is made


@pytest.fixture(scope="module")
def known(django_db_setup, django_db_blocker):
    """Guangxi, read once through the database; the resolver then needs nothing else."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_divisions()
        known = gazetteer()
        transaction.set_rollback(True)
    return known


@pytest.fixture(scope="module")
def resolver(known):
    return Resolver(known)


@pytest.mark.parametrize(
    "county", ["都安", "都安县", "都安瑶族自治县", "都安自治县", " 都 安 瑶族自治县 ", "都安县(本级)"]
)
def test_a_county_is_found_however_it_is_shortened(resolver, county):
    assert resolver.resolve(county=county) == "451228"
    assert resolver.resolve(city="河池", county=county) == "451228"


def test_levels_go_down_to_the_village(resolver, known):
    assert resolver.resolve(province="广西", city="河池市", county="都安", township="安阳") == "451228100"
    village = next(
        code for code, place in known.places.items() if code.startswith("451228100") and place.level == "village"
    )
    place = known.places[village]
    for name in (place.name, place.official_name):
        assert resolver.resolve(county="都安县", township="安阳镇", village=name) == village


@pytest.mark.parametrize(
    ("old", "code"),
    [("横县", "450181"), ("武鸣县", "450110"), ("靖西县", "451081"), ("柳江县", "450206"), ("宜州市", "451203"),
     ("荔浦县", "450381"), ("田阳县", "451003"), ("平果县", "451082")],
)  # fmt: skip
def test_former_names_lead_to_the_division_of_today(resolver, old, code):
    assert resolver.resolve(county=old) == code


def test_a_wrong_parent_is_refused_and_the_right_place_offered(resolver):
    with pytest.raises(PlaceElsewhere) as refused:
        resolver.resolve(city="百色市", county="都安县")

    assert refused.value.values["candidates"] == "河池市都安瑶族自治县(451228)"
    assert refused.value.values["within"] == "百色市"


def test_a_name_that_fits_several_places_is_refused_with_them(resolver):
    with pytest.raises(PlaceAmbiguous) as refused:
        resolver.resolve(township="城厢镇")

    assert refused.value.values["candidates"].count("(45") >= 2


def test_the_full_name_goes_before_the_stem(resolver, known):
    """A community and a village of one name lie in one township all over Guangxi: 三都社区, 三都村."""
    twins = _village_and_community_of_one_name(known)
    assert len(twins) > 100
    for stem, village, community in twins:
        within = {"county": known.name_of(village[:6]), "township": known.name_of(village[:9])}
        assert resolver.resolve(**within, village=f"{stem}村") == village
        assert resolver.resolve(**within, village=f"{stem}社区居委会") == community
        with pytest.raises(PlaceAmbiguous) as refused:
            resolver.resolve(**within, village=stem)
        assert village in refused.value.values["candidates"]


def _village_and_community_of_one_name(known):
    villages = [place for place in known.places.values() if place.level == "village"]
    by_name = {(place.parent_code, place.name): place.code for place in villages}
    return [
        (name.removesuffix("村"), code, by_name[parent, name.removesuffix("村") + "社区"])
        for (parent, name), code in by_name.items()
        if name.endswith("村") and len(name) > 2 and (parent, name.removesuffix("村") + "社区") in by_name
    ]


def test_an_unknown_name_is_refused_with_similar_ones(resolver):
    with pytest.raises(PlaceUnknown) as refused:
        resolver.resolve(county="都安县", township="安羊镇")

    assert "安阳镇(451228100)" in refused.value.values["candidates"]


def test_no_name_is_refused(resolver):
    with pytest.raises(PlaceMissing):
        resolver.resolve(county=" ", township="")


def test_every_seventh_division_is_found_by_its_own_path(resolver, known):
    """Where a township has two villages of one name the refusal names both; there are few of those."""
    found, refused = 0, []
    for code in [each for each in list(known.places)[::7] if len(each) > 2]:
        names = {length: known.places[code[:length]].official_name for length in (4, 6, 9, 12) if length <= len(code)}
        steps = dict(zip(("city", "county", "township", "village"), names.values(), strict=False))
        try:
            assert resolver.resolve(**steps) == code
        except PlaceAmbiguous as refusal:
            refused.append((code, refusal.values["candidates"]))
        else:
            found += 1
    assert found > 2_500
    assert len(refused) < 10
    assert all(code in candidates for code, candidates in refused)


def test_a_typed_place_is_its_code_or_its_name_at_any_level(resolver, known):
    assert resolver.named("451228101") == resolver.named("高岭镇", within="451228") == "451228101"
    assert resolver.named("都安瑶族自治县") == "451228"
    assert resolver.named("河池市") == "4512"


def test_of_two_places_of_one_name_the_one_at_home_is_meant(resolver, known):
    names = {}
    for code, place in known.places.items():
        names.setdefault(place.name, []).append(code)
    name, codes = next(
        (name, codes) for name, codes in names.items() if len({code[:6] for code in codes}) == len(codes) > 1
    )
    assert resolver.named(name, within=codes[0][:6]) == codes[0]
    with pytest.raises(PlaceAmbiguous) as refused:
        resolver.named(name)
    assert codes[0] in str(refused.value.sentences("zh"))


def test_a_place_nobody_knows_is_refused_with_what_is_alike(resolver):
    with pytest.raises(PlaceUnknown):
        resolver.named("999999")
    with pytest.raises(PlaceMissing):
        resolver.named("  ")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("都安瑶族自治县机动车登记信息(截至2020年9月30日)", ["451228"]),
        ("河池市都安县 2020年9月低保.xlsx", ["451228"]),
        ("机动车-都 安-0930.csv", ["451228"]),
        ("河池机动车.csv", ["4512"]),
        ("都安、大化两县机动车", ["451228", "451229"]),
        ("南宁明细表", ["4501"]),  # 宁明 is not meant
        ("宜州市车辆", ["451203"]),  # its former name
        ("广西壮族自治区机动车", []),
        ("vehicles 2020", []),
        ("", []),
    ],
)
def test_a_text_says_which_city_or_county_it_is_about(known, text, codes):
    assert mentioned(text, within="45", known=known) == codes


def test_a_place_looked_for_beyond_the_office_is_said_to_be_and_the_nearest_stand_first(resolver):
    with pytest.raises(PlaceAmbiguous) as refused:
        resolver.named("城厢镇", within="451228100")

    assert refused.value.values["within"] == "广西壮族自治区"
    with pytest.raises(PlaceAmbiguous) as near:
        resolver.named("城厢镇", within="4503")
    assert near.value.values["within"] == "广西壮族自治区"
