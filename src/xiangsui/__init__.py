"""Xiangsui 相髓: the donor programme of a Red Cross, from a county station to a nation."""
