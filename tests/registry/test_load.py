def test_smoke(county, django_assert_max_num_queries):
    assert county.loaded.rejected == ()
    assert county.loaded.households == 32
    assert county.loaded.persons == 128
