"""Whatever a sanitizer finds in a program is kept, whoever looks at its exit status; else a clean run
under it would say nothing."""
import os
import shlex
import subprocess

import pytest

from support import sanitizer
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


@pytest.mark.parametrize("end", [lambda p: p.wait(20), lambda p: wait_for(lambda: not p.running, 20, "it ends"),
                                 lambda p: (wait_for(lambda: not p.running, 20, "it ends"), p.start(), p.kill())],
                         ids=["waited for", "nobody looks", "started again"])
def test_a_crash_is_kept(tmp_path, end):
    process = Process("crashing", ["sh", "-c", "kill -SEGV $$"], tmp_path / "log").start()
    end(process)
    assert process in crashed()
    assert crashed() == []
