"""The parts of Whoosh 2.7.4 that are used, imported in one place."""

import warnings

with warnings.catch_warnings():
    # Sources of 2017: invalid escapes and `is` with a number, seen when compiled.
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    from whoosh.analysis import Analyzer, Token
    from whoosh.codec.whoosh3 import (
        W3Codec,
        W3LeafMatcher,
        W3PerDocReader,
        W3PostingsWriter,
        W3Segment,
    )
    from whoosh.columns import Column, NumericColumn
    from whoosh.fields import COLUMN, ID, KEYWORD, STORED, TEXT, Schema
    from whoosh.filedb.compound import CompoundStorage
    from whoosh.filedb.filestore import FileStorage, StorageError
    from whoosh.filedb.filetables import FileFormatError
    from whoosh.filedb.structfile import BufferFile, StructFile
    from whoosh.index import TOC, FileIndex, IndexVersionError
    from whoosh.index import IndexError as WhooshIndexError
    from whoosh.reading import TermNotFound
    from whoosh.util.numeric import byte_to_length, length_to_byte
    from whoosh.writing import SegmentWriter

__all__ = [
    "COLUMN",
    "ID",
    "KEYWORD",
    "STORED",
    "TEXT",
    "TOC",
    "Analyzer",
    "BufferFile",
    "Column",
    "CompoundStorage",
    "FileFormatError",
    "FileIndex",
    "FileStorage",
    "IndexVersionError",
    "NumericColumn",
    "Schema",
    "SegmentWriter",
    "StorageError",
    "StructFile",
    "TermNotFound",
    "Token",
    "W3Codec",
    "W3LeafMatcher",
    "W3PerDocReader",
    "W3PostingsWriter",
    "W3Segment",
    "WhooshIndexError",
    "byte_to_length",
    "length_to_byte",
]
