def test_an_empty_registry_says_what_to_do_next(ada):
    ada.get("/tenants")
    assert "No tenants yet" in ada.text
