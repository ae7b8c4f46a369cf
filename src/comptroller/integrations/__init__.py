"""At the call: SDKs and HTTP clients whose calls are held before they are sent and settled from their answer.

Nothing here is loaded by importing ``comptroller``; each file names the library that it needs.
"""
