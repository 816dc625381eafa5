"""Whatever a sanitizer finds in a program is kept, whoever looks at its exit status; else a clean run
under it would say nothing."""
import os
import shlex
import subprocess

import pytest

from support import sanitizer
from support.paths import ROOT
from support.process import Process, crashed
from support.wait import wait_for

PLANTED = {
    "AddressSanitizer": [
        ("heap-use-after-free", "char *p = malloc(8); free(p); return *(volatile char *)p;"),
        ("LeakSanitizer: detected memory leaks", "char *volatile p = malloc(8); p = NULL; return p != NULL;"),
        ("ABRT", "abort();"),
    ],
    "UndefinedBehaviorSanitizer": [
        ("signed integer overflow", "volatile int i = 2147483647; i += 1; return 0;"),
    ],
    "ThreadSanitizer": [
        ("data race", "pthread_t t; pthread_create(&t, NULL, add, NULL); shared += 1; pthread_join(t, NULL); "
                      "return 0;"),
        ("ABRT", "abort();"),
    ],
}
PROGRAM = """#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
int shared;
void *add(void *none) { shared += 1; return none; }
static int planted(void) { %s }
int main(void) { int status = planted(); return status == 1000; }
"""


@pytest.mark.skipif(sanitizer.NAME is None, reason="the programs are not built under a sanitizer "
                                                   "(make e2e-asan, e2e-ubsan, e2e-tsan)")
@pytest.mark.parametrize("told, fault", PLANTED.get(sanitizer.NAME, [("", "")]))
def test_a_planted_fault_is_kept(tmp_path, told, fault):
    source = tmp_path / "planted.c"
    source.write_text(PROGRAM % fault, encoding="utf-8")
    subprocess.run([os.environ.get("CC", "cc"), "-g", "-pthread", *shlex.split(os.environ["SANITIZE"]), source,
                    "-o", tmp_path / "planted"], check=True)
    planted = Process("planted", [tmp_path / "planted"], tmp_path / "log").start()
    assert planted.wait(20) != 0
    (text,) = wait_for(sanitizer.findings, 10, "a report").values()
    assert told in text, text


CALLBACK = """#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <unistd.h>
static int shared;
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) { shared += 1; }
static void *poll(void *rk) { for (int i = 0; i < 15; i++) rd_kafka_poll(rk, 200); return NULL; }
int main(void) {
    char error[256];
    pthread_t poller;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", error, sizeof error);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_END);
    pthread_create(&poller, NULL, poll, rk);
    sleep(2);
    shared += 1;
    pthread_join(poller, NULL);
    rd_kafka_destroy(rk);
    return 0;
}
"""


@pytest.mark.skipif(sanitizer.NAME != "ThreadSanitizer", reason="about what ThreadSanitizer is told to pass over "
                                                                "(make e2e-tsan)")
def test_a_race_in_a_callback_of_librdkafka_is_not_passed_over(tmp_path):
    """What is suppressed is librdkafka's own, not what it calls of ours."""
    source = tmp_path / "callback.c"
    source.write_text(CALLBACK, encoding="utf-8")
    subprocess.run([os.environ.get("CC", "cc"), "-g", "-D_GNU_SOURCE", "-pthread",
                    *shlex.split(os.environ["SANITIZE"]), source, ROOT / "tests/support/tsan_threads.c",
                    "-lrdkafka", "-o", tmp_path / "callback"], check=True)
    assert Process("callback", [tmp_path / "callback"], tmp_path / "log").start().wait(60) != 0
    (text,) = wait_for(sanitizer.findings, 10, "a report").values()
    assert "data race" in text and "#0 delivered" in text, text


@pytest.mark.parametrize("end", [lambda p: p.wait(20), lambda p: wait_for(lambda: not p.running, 20, "it ends"),
                                 lambda p: (wait_for(lambda: not p.running, 20, "it ends"), p.start(), p.kill())],
                         ids=["waited for", "nobody looks", "started again"])
def test_a_crash_is_kept(tmp_path, end):
    process = Process("crashing", ["sh", "-c", "kill -SEGV $$"], tmp_path / "log").start()
    end(process)
    assert process in crashed()
    assert crashed() == []
