"""x."""
def decode(data: bytes):
    import numpy, io; from PIL import Image
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
