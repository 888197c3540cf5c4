"""Maps and images out of a scene and onto it: formats, coordinate systems, placement.

Everything is windowed. Start reading at `export` and `import_image`.
"""

from canvas.maps.own_data import use_own_data

use_own_data()  # before any module here imports rasterio, which looks for it then
