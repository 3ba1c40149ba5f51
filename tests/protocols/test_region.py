import pytest

from ppvd.protocols import BottomMiddle, Pixels, Shares


def test_the_kb_crop_is_the_middle_of_the_lowest_rows():
    assert BottomMiddle().box(375, 1242) == (23, 13, 352, 1216)
    assert BottomMiddle().box(376, 1241) == (24, 12, 352, 1216)
    with pytest.raises(
        ValueError, match="at least 352 x 1216 pixels for this crop, got 370 x 1215"
    ):
        BottomMiddle().box(370, 1215)


def test_eigen_s_share_of_kitti_is_that_of_published_code():
    eigen = Shares(rows=(0.3324324, 0.91351351), columns=(0.0359477, 0.96405229))
    assert eigen.box(352, 1216) == (117, 43, 321 - 117, 1172 - 43)


def test_pixels_count_from_either_end_and_stop_at_the_border():
    assert Pixels(rows=(8, -8), columns=(11, -11)).box(480, 640) == (8, 11, 464, 618)
    assert Pixels(rows=(0, 374), columns=(0, 1242)).box(376, 1241) == (0, 0, 374, 1241)
    assert Pixels(rows=(45, 471), columns=(41, None)).box(480, 640) == (45, 41, 426, 599)


def test_what_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="must leave something of a picture, got 10 x 20"):
        Pixels(rows=(8, -8), columns=(0, None)).box(10, 20)
    with pytest.raises(ValueError, match=r"rows must increase within \[0, 1\], got \[0.5, 0.5\]"):
        Shares(rows=(0.5, 0.5), columns=(0.0, 1.0))
