from ppvd.weights.encoders import ENCODERS
from ppvd.weights.published import PUBLISHED


def test_every_network_names_its_encoder_and_every_encoder_its_layout():
    for model in PUBLISHED.values():
        if model.kind == "encoder":
            assert model.mapping in ENCODERS
            assert model.encoder is None
        else:
            assert PUBLISHED[model.encoder].kind == "encoder"
            assert model.mapping == ""


def test_every_encoder_layout_is_published_once():
    assert sorted(m.mapping for m in PUBLISHED.values() if m.mapping) == sorted(ENCODERS)


def test_every_file_has_a_name_of_its_own_and_a_page():
    assert len({model.file for model in PUBLISHED.values()}) == len(PUBLISHED)
    for name, model in PUBLISHED.items():
        assert model.name == name
        assert model.page.startswith("https://")
        assert model.licence
        assert model.hub is None or model.url is None


def test_networks_of_one_kind_see_features_of_their_encoders_kind():
    assert PUBLISHED["ppd-dav2"].encoder == "depth-anything-v2-l"
    assert PUBLISHED["ppd-moge2"].encoder == "moge2-l"
    assert PUBLISHED["ppvd-pi3"].encoder == "pi3"
