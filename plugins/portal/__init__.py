"""The portal: customers check stock and order, vendors confirm."""
