package io.github.pgendpoints.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.ExecutorService;
import org.junit.jupiter.api.Test;

class ProbeThreadsTest {
  @Test
  void probesRunOnVirtualThreadsIfNoLockPinsThem() throws Exception {
    assertEquals(Runtime.version().feature() >= 24, isVirtual(ProbeThreads.cheapest()));
  }

  /** A call of getaddrinfo() occupies a thread of the operating system in any case. */
  @Test
  void lookUpsRunOnPlatformThreads() throws Exception {
    assertEquals(false, isVirtual(new ProbeThreads()));
  }

  private static boolean isVirtual(ExecutorService threads) throws Exception {
    try {
      return threads
          .submit(() -> Thread.currentThread().toString().startsWith("VirtualThread"))
          .get();
    } finally {
      threads.shutdownNow();
    }
  }
}
