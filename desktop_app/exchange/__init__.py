"""Import and export formats: text in, values out. Pure; nothing here touches a file or a store."""
