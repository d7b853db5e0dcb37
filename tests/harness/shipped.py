"""What the platforms of the shipped sources are."""

from typing import Final

from mdm.intake.catalogue import load_catalogue

SHIPPED: Final = load_catalogue(None).platforms
