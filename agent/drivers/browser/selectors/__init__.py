"""The pages' words as data: one file per locale, dated, with what differs between platforms."""
