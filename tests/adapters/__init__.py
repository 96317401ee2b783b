"""Other platforms: samples written from their public documentation, and what becomes of them."""
