"""Device sources: scalar functions of integers and floats, the same text for plain Python and every compiled target."""
