"""How templates write banks and orders, on pages and in mail."""

from django import template

from billing import banks, qr_links

register = template.Library()


@register.filter
def bank(bin: str) -> str:
    """A bank's short name by its BIN, which it is where we don't know it."""
    known = banks.bank(bin or "")
    return known.short_name if known else bin


@register.filter
def qr_png(code: str) -> str:
    """The whole address of an order's QR code as a PNG, as mail programs show no SVG."""
    return qr_links.qr_url(code, "png")
