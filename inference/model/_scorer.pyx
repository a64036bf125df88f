# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled version of `inference.model.scorer.Scorer`: the same answers, without a Python object per word.

With `inference.model.words.WordSettings` it also reads texts for models of format 2 over words, and adds the scores of
`inference.model.ngrams.Ngrams`.

A text is read once: its words are found, converted to lower case and hashed in the same pass. An n-gram of several words
is looked up by two numbers, that of the n-gram without its last word and that of its last word, so that no string is
built. Both tables are open-addressing hash tables with linear probing that do not change after loading: no text can make
a look-up longer than the longest run of occupied slots.

Words are handled in groups, each in steps: find the words, look up the words, look up the pairs, and so on. Each step
prefetches the memory that the next one reads, which hides most of the cost of cache misses.
"""

from cython cimport final
from cpython.array cimport array
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.math cimport exp, fabs, log, sqrt
from libc.stdint cimport int32_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcmp, memmove, memset

from inference.model.lowercase import lower
from inference.model.ngrams import prepare
from inference.model.scorer import Occurrence, Score

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    uint32_t PyUnicode_READ(int kind, const void* data, Py_ssize_t index) nogil
    int Py_UNICODE_ISALNUM(uint32_t character) nogil

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define FETCH(address) __builtin_prefetch(address)
    #else
    #define FETCH(address) ((void)(address))
    #endif
    """
    void FETCH(const void* address) noexcept nogil

cdef enum:
    GROUP = 64          # words handled together
    LONGEST = 4         # words of the longest n-gram; `inference.model.words` has the same number
    INLINE = 16         # bytes of a word that its slot holds
    LINE = 64           # bytes of a cache line
    TURN = 1024         # objects that are created before other threads get their turn
    RELEASE = 16384     # a text of this many characters is scored without holding the interpreter
    STOP_WORD = -2      # in place of a term


cdef struct Word:       # a slot of the table of words: 32 bytes, two per cache line
    uint64_t head       # the word's first eight bytes of UTF-8, zero-padded
    uint64_t tail       # the next eight
    uint32_t length     # in bytes; 0 marks an empty slot
    uint32_t name       # where the word is among the names of the terms
    int32_t term        # -1: the word is not a term, only a part of longer ones; or STOP_WORD
    uint32_t unused


cdef struct Ngram:      # a slot of the table of n-grams of two and more words: 16 bytes
    uint64_t key        # the numbers of its beginning and of its last word; 0 marks an empty slot
    int32_t term        # -1: the n-gram is not a term, only the beginning of longer ones
    uint32_t unused


cdef struct Spelling:   # a word as it is read, byte by byte
    uint64_t head
    uint64_t tail
    uint64_t rest       # hash of the bytes after the first sixteen
    uint32_t length
    uint32_t room       # bytes of a word that are kept; a longer word is not in the table
    unsigned char* buffer   # the bytes after the first sixteen


cdef struct Token:      # a word of the text
    uint64_t head
    uint64_t tail
    uint64_t key        # the word's hash, then the key of the n-gram that ends with it and is looked up next; 0: none
    Py_ssize_t start
    Py_ssize_t end
    uint32_t length
    int32_t term        # -1: unknown
    uint32_t[LONGEST] numbers   # of the n-grams of one word, two words, ... that end with it; 0: none


cdef struct Found:      # an occurrence of a term
    Py_ssize_t start
    Py_ssize_t end
    int32_t term


cdef struct Count:      # how often a term occurs in the text
    int32_t term
    int32_t count


cdef struct Scratch:    # memory and results of reading one text; the pointers share one block
    double* products    # one for each label except the first
    Count* counts       # of the text's terms, in order of appearance
    uint32_t* places    # hash table of those: number in `counts`, from 1
    uint32_t mask       # of the part of `places` that this text uses
    unsigned char* buffer
    Found* found        # NULL: occurrences are not recorded
    Py_ssize_t terms
    Py_ssize_t words    # n-grams of the smallest size
    Py_ssize_t unknown
    Py_ssize_t occurrences


cdef unsigned char[128] LOWER       # an ASCII word character in lower case; 0: not a word character
cdef unsigned char[128] SAME        # the same without changing its case
for _code in range(128):
    SAME[_code] = _code if chr(_code).isalnum() or chr(_code) == "_" else 0
    LOWER[_code] = ord(chr(_code).lower()) if SAME[_code] else 0


cdef inline void _begin(Spelling* word) noexcept nogil:
    word.head = word.tail = word.rest = 0
    word.length = 0


cdef inline void _add(Spelling* word, uint64_t byte) noexcept nogil:
    cdef uint32_t length = word.length
    if length < 8:
        word.head |= byte << (8 * length)
    elif length < INLINE:
        word.tail |= byte << (8 * (length - 8))
    else:
        word.rest = (word.rest ^ byte) * <uint64_t>0x100000001B3
        if length < word.room:
            word.buffer[length - INLINE] = <unsigned char>byte
    word.length = length + 1


cdef inline void _add_character(Spelling* word, uint32_t character) noexcept nogil:
    if character < 0x80:
        _add(word, <unsigned char>character)
    elif character < 0x800:
        _add(word, 0xC0 | (character >> 6))
        _add(word, 0x80 | (character & 0x3F))
    elif character < 0x10000:
        _add(word, 0xE0 | (character >> 12))
        _add(word, 0x80 | ((character >> 6) & 0x3F))
        _add(word, 0x80 | (character & 0x3F))
    else:
        _add(word, 0xF0 | (character >> 18))
        _add(word, 0x80 | ((character >> 12) & 0x3F))
        _add(word, 0x80 | ((character >> 6) & 0x3F))
        _add(word, 0x80 | (character & 0x3F))


cdef inline uint64_t _hash(const Spelling* word) noexcept nogil:
    cdef uint64_t value = (word.head ^ word.length) * <uint64_t>0x9E3779B97F4A7C15
    value = (value ^ (value >> 32) ^ word.tail) * <uint64_t>0xD6E8FEB86659FD93
    value = (value ^ (value >> 32) ^ word.rest) * <uint64_t>0xC2B2AE3D27D4EB4F
    return value ^ (value >> 29)


cdef inline uint64_t _hash_key(uint64_t key) noexcept nogil:
    cdef uint64_t value = key * <uint64_t>0x9E3779B97F4A7C15
    return value ^ (value >> 32)


cdef inline uint64_t _key(uint32_t first, uint32_t second) noexcept nogil:
    return (<uint64_t>first << 32) | second


cdef inline bint _is_word(uint32_t character) noexcept nogil:
    return SAME[character] != 0 if character < 0x80 else Py_UNICODE_ISALNUM(character) != 0


cdef inline bint _next_ascii(const unsigned char* text, Py_ssize_t length, const unsigned char* cases,
                             Py_ssize_t shortest, Py_ssize_t* place, Spelling* word, Token* token) noexcept nogil:
    """Read the next word of an ASCII text, in the case that `cases` gives it; False at the end of the text."""
    cdef Py_ssize_t at = place[0], start
    cdef unsigned char byte
    while at < length:
        if cases[text[at]] == 0:
            at += 1
            continue
        start = at
        _begin(word)
        while at < length:
            byte = cases[text[at]]
            if byte == 0:
                break
            _add(word, byte)
            at += 1
        if at - start >= shortest:
            token.start, token.end = start, at
            place[0] = at
            return True
    place[0] = at
    return False


cdef inline bint _next_unicode(int kind, const void* text, Py_ssize_t length, Py_ssize_t shortest,
                               Py_ssize_t* place, Spelling* word, Token* token) noexcept nogil:
    """Read the next word of a prepared text; False at the end of the text."""
    cdef Py_ssize_t at = place[0], start
    cdef uint32_t character
    while at < length:
        if not _is_word(PyUnicode_READ(kind, text, at)):
            at += 1
            continue
        start = at
        _begin(word)
        while at < length:
            character = PyUnicode_READ(kind, text, at)
            if not _is_word(character):
                break
            _add_character(word, character)
            at += 1
        if at - start >= shortest:
            token.start, token.end = start, at
            place[0] = at
            return True
    place[0] = at
    return False


cdef void* _allocate(size_t count, size_t size) except NULL:
    """Zeroed memory, aligned to a cache line; freed by `_free`."""
    cdef char* block = <char*>PyMem_RawCalloc(count * size + 2 * LINE, 1)
    if block == NULL:
        raise MemoryError
    cdef char* memory = block + 2 * LINE - (<uintptr_t>block) % LINE - LINE * ((<uintptr_t>block) % LINE == 0)
    (<void**>(memory - sizeof(void*)))[0] = block
    return memory


cdef void _free(void* memory) noexcept:
    if memory != NULL:
        PyMem_RawFree((<void**>(<char*>memory - sizeof(void*)))[0])


cdef uint64_t _power_above(uint64_t least) noexcept nogil:
    cdef uint64_t power = LINE
    while power <= least:
        power *= 2
    return power


cdef inline Py_ssize_t _most_words(Py_ssize_t characters, Py_ssize_t shortest) noexcept nogil:
    """A word has `shortest` characters at least, and one more separates it from the next."""
    return characters // (shortest + 1) + 1


@final      # so that its methods are called directly, and inlined
cdef class Scorer:
    """Scores texts as `inference.model.scorer.Scorer` does. Accepts any string; only lack of memory raises."""

    cdef bytes lines            # the terms and the stop words, one per line
    cdef const unsigned char* names     # its bytes
    cdef Word* words
    cdef Ngram* ngrams
    cdef uint64_t* hints        # a bit per hash of a key: most n-grams that are not in the table need no look-up
    cdef double* rows           # for each term, its idf and its pushes
    cdef double* priors
    cdef Scratch scratch        # for texts that are read while holding the interpreter
    cdef uint64_t word_mask
    cdef uint64_t ngram_mask
    cdef uint64_t hint_mask
    cdef Py_ssize_t terms
    cdef Py_ssize_t others      # labels except the first; in format 2, scores
    cdef Py_ssize_t least       # words of the shortest n-gram
    cdef Py_ssize_t most
    cdef uint32_t filled        # occupied slots of `words`
    cdef uint64_t held          # occupied slots of `ngrams`
    cdef uint32_t longest       # bytes of the longest word
    cdef object features        # None: format 1
    cdef const unsigned char* cases
    cdef Py_ssize_t shortest    # characters of a word
    cdef bint binary
    cdef bint sublinear
    cdef bint binarizes
    cdef double threshold
    cdef int norm               # 0: none
    cdef bint busy              # `scratch` is in use: creating a result may run the collector, and with it other threads

    kind = "compiled"

    def __init__(self, weights, settings=None):
        """Build the tables from `weights`, an `inference.model.scorer.Weights`, for format 2 with its `settings`."""
        cdef const double[::1] idf = weights.idf
        cdef const double[::1] pushes = weights.pushes
        cdef const double[::1] priors = weights.priors
        cdef Py_ssize_t term, other
        self.lines, self.least, self.most = weights.terms, 1, 2 if weights.bigrams else 1
        self.names = self.lines
        self.terms, self.others = idf.shape[0], priors.shape[0]
        if not self.others or pushes.shape[0] != self.terms * self.others or self.lines.count(b"\n") + 1 != self.terms:
            raise ValueError(f"names and pushes of {self.terms} terms and {self.others + 1} labels are required")
        self.cases, self.shortest, self.norm = LOWER, 2, 2
        if settings is not None:
            self._set(settings)
        if len(self.lines) >= 2**31:
            raise ValueError(f"the terms' names have {len(self.lines)} bytes; they must fit 31 bits")
        self.rows = <double*>_allocate(self.terms * (1 + self.others), sizeof(double))
        self.priors = <double*>_allocate(self.others, sizeof(double))
        for term in range(self.terms):
            self.rows[term * (1 + self.others)] = idf[term]
            for other in range(self.others):
                self.rows[term * (1 + self.others) + 1 + other] = pushes[term * self.others + other]
        for other in range(self.others):
            self.priors[other] = priors[other]
        self._build()
        self._open(&self.scratch, RELEASE)

    def __dealloc__(self):
        _free(self.words)
        _free(self.ngrams)
        _free(self.hints)
        _free(self.rows)
        _free(self.priors)
        _free(self.scratch.products)

    cdef int _set(self, object settings) except -1:
        """Take the settings of a model of format 2, an `inference.model.words.WordSettings`."""
        self.features = features = settings.features
        if not features.lowercase:
            self.cases = SAME
        if settings.stop_words:
            self.lines = b"\n".join([self.lines, *settings.stop_words])
            self.names = self.lines
        self.shortest, self.binary, self.sublinear = settings.shortest, features.binary, features.sublinear_tf
        self.binarizes = settings.binarize_above is not None
        self.threshold = settings.binarize_above or 0.0
        self.norm = {None: 0, "l1": 1, "l2": 2}[features.norm]
        self.least, self.most = features.ngram_range
        if not 1 <= self.least <= self.most <= LONGEST:
            raise ValueError(f"n-grams of {self.least} to {self.most} words are not between 1 and {LONGEST}")
        return 0

    cdef int _build(self) except -1:
        """Number every word that is a term or a part of one, then every n-gram that is a term or the beginning of one."""
        cdef uint64_t blanks = self.lines.count(b" ")
        self.word_mask = _power_above(2 * (self.terms - min(<Py_ssize_t>blanks, self.terms))) - 1
        self.words = <Word*>_allocate(self.word_mask + 1, sizeof(Word))
        self._walk(True)
        self._build_ngrams(blanks)      # a name has as many beginnings of two and more words, with itself, as blanks
        if _power_above(2 * self.held) <= self.ngram_mask:
            self._build_ngrams(self.held)   # names share beginnings: a smaller table is faster
        return 0

    cdef int _build_ngrams(self, uint64_t most) except -1:
        """Make the table of n-grams for so many of them."""
        _free(self.ngrams)
        _free(self.hints)
        self.ngrams = NULL
        self.hints = NULL
        self.held = 0
        self.ngram_mask = _power_above(2 * most) - 1
        self.ngrams = <Ngram*>_allocate(self.ngram_mask + 1, sizeof(Ngram))
        self.hint_mask = _power_above(4 * most) - 1
        self.hints = <uint64_t*>_allocate((self.hint_mask + 1) // LINE, sizeof(uint64_t))
        self._walk(False)
        return 0

    cdef int _walk(self, bint words) except -1:
        """Add the words of every name, or the n-grams."""
        cdef Py_ssize_t start = 0, end, size, line
        for line in range(self.lines.count(b"\n") + 1):
            end, size = self._line(start)
            if line >= self.terms:
                if words:
                    self._add_word(start, end, STOP_WORD)
            elif self.least <= size <= self.most:   # no n-gram of a text has another size
                self._add_name(start, end, <int32_t>line, size, words)
            start = end + 1
        return 0

    cdef (Py_ssize_t, Py_ssize_t) _line(self, Py_ssize_t start) noexcept:
        """The end of the name that begins at `start`, and the number of its words."""
        cdef Py_ssize_t at = start, size = 1, length = len(self.lines)
        while at < length and self.names[at] != 10:
            size += self.names[at] == 32
            at += 1
        return at, size

    cdef int _add_name(self, Py_ssize_t start, Py_ssize_t end, int32_t term, Py_ssize_t size, bint words) except -1:
        """Add the words of a name, or the n-grams that it begins with."""
        cdef Spelling word
        cdef Py_ssize_t at, count = 0
        cdef uint32_t number = 0, last
        for at in range(start, end + 1):
            if at < end and self.names[at] != 32:
                continue
            count += 1
            if words:
                self._add_word(start, at, term if size == 1 else -1)
            else:
                self._spell(start, at, &word)
                last = self._find_word(&word) if word.length else 0
                if not last:
                    return 0        # a word without characters: no text has it
                number = self._add_ngram(number, last, term if count == size else -1) if count > 1 else last
            start = at + 1
        return 0

    cdef int _add_word(self, Py_ssize_t start, Py_ssize_t end, int32_t term) except -1:
        cdef Spelling word
        self._spell(start, end, &word)
        if word.length == 0:
            return 0
        cdef uint32_t number = self._find_word(&word)
        if number == 0:
            if 2 * (self.filled + 1) > self.word_mask:
                self._grow()
            number = self._place(&word)
            self.words[number].head, self.words[number].tail = word.head, word.tail
            self.words[number].length, self.words[number].name = word.length, <uint32_t>start
            self.words[number].term = -1
            self.filled += 1
            self.longest = max(self.longest, word.length)
        else:
            number -= 1
        if term != -1:
            self.words[number].term = term
        return 0

    cdef int _grow(self) except -1:
        """Double the slots. No n-gram has been added yet, so numbers may change."""
        cdef Word* old = self.words
        cdef uint64_t slots = self.word_mask + 1, index
        cdef Spelling word
        self.words = <Word*>_allocate(2 * slots, sizeof(Word))
        self.word_mask = 2 * slots - 1
        for index in range(slots):
            if old[index].length:
                self._spell(old[index].name, old[index].name + old[index].length, &word)
                self.words[self._place(&word)] = old[index]
        _free(old)
        return 0

    cdef uint32_t _place(self, const Spelling* word) noexcept:
        """The empty slot for a word that is not in the table."""
        cdef uint64_t place = _hash(word) & self.word_mask
        while self.words[place].length:
            place = (place + 1) & self.word_mask
        return <uint32_t>place

    cdef uint32_t _add_ngram(self, uint32_t beginning, uint32_t last, int32_t term) noexcept:
        """The number of an n-gram of two or more words, which is a term unless `term` is -1."""
        cdef uint64_t key = _key(beginning, last), hashed = _hash_key(key), place = hashed & self.ngram_mask
        while self.ngrams[place].key and self.ngrams[place].key != key:
            place = (place + 1) & self.ngram_mask
        if self.ngrams[place].key == 0:
            self.held += 1
            self.ngrams[place].key, self.ngrams[place].term = key, -1
            self._hint(hashed)[0] |= <uint64_t>1 << (hashed >> 58)
        if term >= 0:
            self.ngrams[place].term = term
        return self._number(place)

    cdef inline uint32_t _number(self, uint64_t place) noexcept nogil:
        """The number of the n-gram in this slot: above those of the words."""
        return <uint32_t>(self.word_mask + 2 + place)

    cdef inline uint64_t* _hint(self, uint64_t hashed) noexcept nogil:
        return &self.hints[((hashed >> 24) & self.hint_mask) >> 6]

    cdef void _spell(self, Py_ssize_t start, Py_ssize_t end, Spelling* word) noexcept:
        """Spell one of the names, which are in lower case."""
        cdef Py_ssize_t at
        word.buffer, word.room = <unsigned char*>self.names + start + INLINE, 0
        _begin(word)
        for at in range(start, end):
            _add(word, self.names[at])

    cdef inline uint32_t _find_word(self, const Spelling* word) noexcept nogil:
        """The number of the word's slot, from 1; 0 if it has none."""
        cdef uint64_t place = _hash(word) & self.word_mask
        cdef Word* slot
        if word.length > self.longest:
            return 0
        while True:
            slot = &self.words[place]
            if slot.length == 0:
                return 0
            if slot.head == word.head and slot.tail == word.tail and slot.length == word.length:
                if word.length <= INLINE or not memcmp(&self.names[slot.name + INLINE], word.buffer, word.length - INLINE):
                    return <uint32_t>place + 1
            place = (place + 1) & self.word_mask

    cdef inline uint32_t _find_token(self, const Token* token) noexcept nogil:
        """The same for a word that fits its slot."""
        cdef uint64_t place = token.key & self.word_mask
        cdef Word* slot
        while True:
            slot = &self.words[place]
            if slot.length == 0:
                return 0
            if slot.head == token.head and slot.tail == token.tail and slot.length == token.length:
                return <uint32_t>place + 1
            place = (place + 1) & self.word_mask

    cdef inline void _expect(self, Token* token, uint32_t beginning) noexcept nogil:
        """Prepare the look-up of the n-gram that consists of the one with the number `beginning` and of the token."""
        cdef uint64_t key, hashed
        token.key = 0
        if beginning and token.numbers[0]:
            key = _key(beginning, token.numbers[0])
            hashed = _hash_key(key)
            if self._hint(hashed)[0] >> (hashed >> 58) & 1:
                token.key = key
                FETCH(&self.ngrams[hashed & self.ngram_mask])

    cdef inline uint32_t _find_ngram(self, uint64_t key) noexcept nogil:
        """The number of the n-gram; 0 if it has none."""
        cdef uint64_t place = _hash_key(key) & self.ngram_mask
        while self.ngrams[place].key:
            if self.ngrams[place].key == key:
                return self._number(place)
            place = (place + 1) & self.ngram_mask
        return 0

    cdef inline void _count(self, int32_t term, Py_ssize_t size, const Token* last, Scratch* scratch) noexcept nogil:
        """Count a term of `size` words that ends with the token `last`."""
        cdef uint32_t place = (<uint32_t>term * <uint32_t>0x9E3779B1) >> 7 & scratch.mask
        cdef uint32_t number
        while True:
            number = scratch.places[place]
            if number == 0:
                FETCH(&self.rows[term * (1 + self.others)])
                scratch.counts[scratch.terms].term = term
                scratch.counts[scratch.terms].count = 1
                scratch.terms += 1
                scratch.places[place] = <uint32_t>scratch.terms
                break
            if scratch.counts[number - 1].term == term:
                scratch.counts[number - 1].count += 1
                break
            place = (place + 1) & scratch.mask
        if scratch.found != NULL:
            scratch.found[scratch.occurrences].start = (last - size + 1).start
            scratch.found[scratch.occurrences].end = last.end
            scratch.found[scratch.occurrences].term = term
            scratch.occurrences += 1

    cdef inline bint _count_ngram(self, uint32_t number, Py_ssize_t size, const Token* last, Scratch* scratch) noexcept nogil:
        """Count the n-gram with this number if it is a term; return whether it is one."""
        cdef int32_t term = self.ngrams[number - self.word_mask - 2].term if number else -1
        if term < 0:
            return False
        self._count(term, size, last, scratch)
        return True

    cdef void _read(self, bint ascii, int kind, const void* text, Py_ssize_t length, const unsigned char* cases,
                    Scratch* scratch) noexcept nogil:
        """Count the text's words and terms into `scratch`; with constants, the compiler makes faster code."""
        if self.least == 1 and self.most == 2:
            self._read_sizes(1, 2, ascii, kind, text, length, cases, scratch)
        elif self.least == 1 and self.most == 3:
            self._read_sizes(1, 3, ascii, kind, text, length, cases, scratch)
        else:
            self._read_sizes(self.least, self.most, ascii, kind, text, length, cases, scratch)

    cdef inline void _read_sizes(self, Py_ssize_t least, Py_ssize_t most, bint ascii, int kind, const void* text,
                                 Py_ssize_t length, const unsigned char* cases, Scratch* scratch) noexcept nogil:
        """The same for n-grams of `least` to `most` words."""
        cdef Token[LONGEST - 1 + GROUP] tokens
        cdef Py_ssize_t before = most - 1   # tokens that are kept of those before the group
        cdef Token* group = &tokens[before]
        cdef Token* token
        cdef Spelling word
        cdef Py_ssize_t place = 0, count, kept, index, size, known = 0
        cdef uint32_t beginning = 0
        word.buffer, word.room = scratch.buffer, self.longest
        scratch.terms = scratch.words = scratch.occurrences = 0
        scratch.mask = <uint32_t>_power_above(self._most_terms(length)) - 1
        memset(scratch.places, 0, (<size_t>scratch.mask + 1) * sizeof(uint32_t))
        memset(tokens, 0, before * sizeof(Token))
        while place < length:
            count = 0
            while count < GROUP:
                token = &group[count]
                if ascii:
                    if not _next_ascii(<const unsigned char*>text, length, cases, self.shortest, &place, &word, token):
                        break
                elif not _next_unicode(kind, text, length, self.shortest, &place, &word, token):
                    break
                token.head, token.tail, token.length = word.head, word.tail, word.length
                token.key = _hash(&word)
                if word.length > INLINE:        # the next word overwrites the buffer
                    token.numbers[0] = self._find_word(&word)
                else:
                    FETCH(&self.words[token.key & self.word_mask])
                count += 1
            kept = 0
            for index in range(count):
                token = &group[index]
                if token.length <= INLINE:
                    token.numbers[0] = self._find_token(token)
                token.term = self.words[token.numbers[0] - 1].term if token.numbers[0] else -1
                if token.term == STOP_WORD:
                    continue
                if kept < index:
                    group[kept] = token[0]
                token = &group[kept]
                if before:
                    self._expect(token, beginning)
                    beginning = token.numbers[0]
                kept += 1
            for size in range(2, most):
                for index in range(kept):
                    token = &group[index]
                    token.numbers[size - 1] = self._find_ngram(token.key) if token.key else 0
                    self._expect(token, (token - 1).numbers[size - 1])
            for index in range(kept):
                token = &group[index]
                if token.term >= 0:
                    self._count(token.term, 1, token, scratch)
                    known += least == 1
                for size in range(2, most):
                    known += self._count_ngram(token.numbers[size - 1], size, token, scratch) and size == least
                if before and token.key:
                    known += self._count_ngram(self._find_ngram(token.key), most, token, scratch) and most == least
            scratch.words += kept
            memmove(tokens, &tokens[kept], before * sizeof(Token))
        scratch.words = max(scratch.words - least + 1, 0)
        scratch.unknown = scratch.words - known

    cdef inline Py_ssize_t _most_terms(self, Py_ssize_t characters) noexcept nogil:
        """The terms of a text of so many characters: one of each size ends with a word."""
        return min(self.most * _most_words(characters, self.shortest), self.terms)

    cdef inline double _value(self, const Count* count) noexcept nogil:
        """The value of a term before it is divided by the length of the text's vector."""
        cdef double value = count.count
        if self.binary:
            value = 1.0
        elif self.sublinear:
            value = 1.0 + log(value)
        return value * self.rows[count.term * (1 + self.others)]

    cdef double _sum(self, Scratch* scratch) noexcept nogil:
        """Multiply the vector of the text with the pushes, and return by what to divide the products."""
        cdef double norm = 0.0, value
        cdef double* row
        cdef Py_ssize_t index, other
        for other in range(self.others):
            scratch.products[other] = 0.0
        for index in range(scratch.terms):
            value = self._value(&scratch.counts[index])
            norm += value * value if self.norm == 2 else fabs(value)
            if not self.binarizes:
                row = &self.rows[scratch.counts[index].term * (1 + self.others)]
                for other in range(self.others):
                    scratch.products[other] += value * row[1 + other]
        if self.norm == 0:
            norm = 1.0
        elif self.norm == 2:
            norm = sqrt(norm)
        if not self.binarizes:
            return norm
        if norm == 0.0:
            norm = 1.0
        for index in range(scratch.terms):
            if self._value(&scratch.counts[index]) / norm > self.threshold:
                row = &self.rows[scratch.counts[index].term * (1 + self.others)]
                for other in range(self.others):
                    scratch.products[other] += row[1 + other]
        return 1.0

    cdef double _run(self, str text, const unsigned char* cases, Scratch* scratch, bint release) except -1.0:
        """Read and score `text`; ASCII characters are changed as `cases` says, others have been prepared."""
        cdef bint ascii = PyUnicode_IS_ASCII(text)
        cdef int kind = PyUnicode_KIND(text)
        cdef const void* data = PyUnicode_DATA(text)
        cdef Py_ssize_t length = len(text)
        if not release:
            self._read(ascii, kind, data, length, cases, scratch)
            return self._sum(scratch)
        cdef double norm
        with nogil:
            self._read(ascii, kind, data, length, cases, scratch)
            norm = self._sum(scratch)
        return norm

    cdef object _result(self, Scratch* scratch, double norm, array scores):
        cdef Py_ssize_t other
        if norm == 0.0:
            norm = 1.0
        if scores is None:
            return _new_tuple(Score, (self._softmax(scratch, norm), scratch.words, scratch.unknown))
        for other in range(self.others):
            scores.data.as_doubles[other] += scratch.products[other] / norm
        return scratch.words, scratch.unknown

    cdef tuple _softmax(self, Scratch* scratch, double norm):
        cdef double highest = 0.0, total, odds
        cdef Py_ssize_t other
        for other in range(self.others):
            odds = scratch.products[other] = self.priors[other] + scratch.products[other] / norm
            if odds > highest:
                highest = odds
        cdef double first = exp(-highest)
        total = first
        for other in range(self.others):
            scratch.products[other] = exp(scratch.products[other] - highest)
            total += scratch.products[other]
        if self.others == 1:
            return first / total, scratch.products[0] / total
        return (first / total, *[scratch.products[other] / total for other in range(self.others)])

    cdef int _open(self, Scratch* scratch, Py_ssize_t characters) except -1:
        """Allocate the memory for reading a text of so many characters, in one block that starts with `products`."""
        cdef size_t most = self._most_terms(characters)
        cdef size_t products = self.others * sizeof(double), counts = most * sizeof(Count)
        cdef size_t places = _power_above(most) * sizeof(uint32_t)
        cdef char* block = <char*>_allocate(products + counts + places + self.longest + 1, 1)
        scratch.products = <double*>block
        scratch.counts = <Count*>(block + products)
        scratch.places = <uint32_t*>(block + products + counts)
        scratch.buffer = <unsigned char*>(block + products + counts + places)
        scratch.found = NULL
        return 0

    cdef inline str _prepare(self, str text, const unsigned char** cases):
        """Change the case of a text and remove accents, unless it is ASCII: then `cases` is what remains to be done."""
        cases[0] = self.cases
        if PyUnicode_IS_ASCII(text):
            return text
        cases[0] = SAME
        return lower(text) if self.features is None else prepare(self.features, text)

    def score(self, str text not None, /):
        """The probability of each label, in the order of the labels. Long texts are read without holding the interpreter."""
        return self._answer(text, None)

    def add(self, str text not None, array scores not None, /):
        """Add what the text adds to each score, for a model of format 2, and return the numbers of n-grams and of unknown ones."""
        if scores.typecode != "d" or len(scores) != self.others:
            raise ValueError(f"an array of {self.others} doubles is required")
        return self._answer(text, scores)

    cdef inline object _answer(self, str text, array scores):
        cdef Scratch own
        cdef const unsigned char* cases
        cdef double norm
        text = self._prepare(text, &cases)
        if len(text) < RELEASE and not self.busy:
            self.busy = True
            try:
                norm = self._run(text, cases, &self.scratch, False)
                return self._result(&self.scratch, norm, scores)
            finally:
                self.busy = False
        self._open(&own, len(text))
        try:
            norm = self._run(text, cases, &own, len(text) >= RELEASE)
            return self._result(&own, norm, scores)
        finally:
            _free(own.products)

    def occurrences(self, str text not None, /):
        """Every occurrence of a known term, in the order in which they end, and the length of the text's vector."""
        cdef Scratch own
        cdef const unsigned char* cases
        cdef double norm
        cdef Py_ssize_t index
        text = self._prepare(text, &cases)
        self._open(&own, len(text))
        try:
            # One term of each size ends with a word.
            own.found = <Found*>_allocate(self.most * _most_words(len(text), self.shortest), sizeof(Found))
            norm = self._run(text, cases, &own, True)
            occurrences = []
            for index in range(own.occurrences):
                occurrences.append(Occurrence(own.found[index].term, own.found[index].start, own.found[index].end))
                if index % TURN == 0:
                    with nogil:  # other threads get their turn
                        pass
            return occurrences, norm
        finally:
            _free(own.found)
            _free(own.products)


_new_tuple = tuple.__new__
