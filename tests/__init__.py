"""The tests of Flotilla; they mirror the source tree."""
