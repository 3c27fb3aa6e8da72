package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.support.Http;
import org.junit.jupiter.api.Test;

class ManagementServerTest {
  @Test
  void saysThatAPageCannotBeMade() {
    int port = Http.freePort();
    ManagementServer server =
        new ManagementServer(
            port,
            () -> {
              throw new IllegalStateException("of the test");
            });
    server.start();
    try {
      assertEquals(500, new Http(port).status("GET", "/observe/metrics"));
    } finally {
      server.stop();
    }
  }
}
