"""Kafka records that no well-behaved client would write: header names of any bytes, headers without
a value. Straight to librdkafka, as Python's client wants names in UTF-8."""
import ctypes

END, TOPIC, PARTITION, VALUE, KEY, FLAGS, HEADERS = 0, 1, 3, 4, 5, 7, 10
COPY = 2  # RD_KAFKA_MSG_F_COPY
PRODUCER = 0  # RD_KAFKA_PRODUCER


def _library():
    library = ctypes.CDLL("librdkafka.so.1")
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


class RawProducer:
    """Its records have been acknowledged once close() returns."""

    def __init__(self, brokers):
        self.library, error = _library(), ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(self.library.rd_kafka_conf_new())
        for name, value in {"bootstrap.servers": brokers, "message.max.bytes": "100000000"}.items():
            assert self.library.rd_kafka_conf_set(conf, name.encode(), value.encode(), error, 512) == 0, error.value
        self.handle = ctypes.c_void_p(self.library.rd_kafka_new(PRODUCER, conf, error, ctypes.c_size_t(512)))
        assert self.handle.value, error.value

    def produce(self, topic, partition, value, key=None, headers=()):
        """`headers` are pairs of bytes; a value may be None."""
        more = [ctypes.c_int(TOPIC), topic.encode(), ctypes.c_int(PARTITION), ctypes.c_int32(partition),
                ctypes.c_int(FLAGS), ctypes.c_int(COPY)]
        for tag, piece in ((VALUE, value), (KEY, key)):
            if piece is not None:
                more += [ctypes.c_int(tag), piece, ctypes.c_size_t(len(piece))]
        if headers:
            more += [ctypes.c_int(HEADERS), self._headers(headers)]
        failed = self.library.rd_kafka_producev(self.handle, *more, ctypes.c_int(END))
        assert failed == 0, failed

    def _headers(self, headers):
        """The record's, once it has been produced."""
        made = ctypes.c_void_p(self.library.rd_kafka_headers_new(ctypes.c_size_t(len(headers))))
        for name, value in headers:
            # An empty value is not none: its address counts.
            failed = self.library.rd_kafka_header_add(made, name, ctypes.c_ssize_t(len(name)), value,
                                                      ctypes.c_ssize_t(len(value or b"")))
            assert failed == 0, failed
        return made

    def flush(self, seconds=60):
        assert self.library.rd_kafka_flush(self.handle, seconds * 1000) == 0
        assert self.library.rd_kafka_outq_len(self.handle) == 0

    def close(self):
        self.flush()
        self.library.rd_kafka_destroy(self.handle)
