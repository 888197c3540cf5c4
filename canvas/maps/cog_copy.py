"""Child process of the COG export: `python cog_copy.py SOURCE TARGET`; exit status 1 and a reason on stderr.

It knows nothing of the program, so that it starts fast and its memory is GDAL's alone.
"""

from __future__ import annotations

import sys

import rasterio
from rasterio.errors import RasterioError
from rasterio.shutil import copy

CACHE = 128 * 2**20  # bytes of GDAL's block cache


def main(source: str, target: str) -> None:
    """Copy a GeoTIFF to a COG with overviews, lossless; mask and tags come along."""
    with rasterio.Env(GDAL_CACHEMAX=CACHE, GDAL_TIFF_INTERNAL_MASK="YES", GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        copy(
            source, target, driver="COG", blocksize=512, compress="DEFLATE", predictor="YES", overviews="AUTO",
            overview_resampling="AVERAGE", bigtiff="IF_SAFER", num_threads="ALL_CPUS", sparse_ok="YES",
        )  # fmt: skip
        # What the last flush could not write is told by no error: the far corner shows whether it is there.
        with rasterio.open(target) as made:
            far = ((made.height - 1, made.height), (made.width - 1, made.width))
            made.read(window=far)
            made.dataset_mask(window=far)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (RasterioError, OSError) as error:
        sys.exit(str(error.__cause__ or error))
