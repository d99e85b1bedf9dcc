from support.plugin import own_index, sign_in, standing_world, world

__all__ = ["own_index", "sign_in", "standing_world", "world"]
