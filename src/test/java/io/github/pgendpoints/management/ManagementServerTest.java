package io.github.pgendpoints.management;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.status.LatestStatus;
import io.github.pgendpoints.status.RunningManager;
import io.github.pgendpoints.support.Http;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManagementServerTest {
  private static final LatestStatus NO_STATUS =
      new LatestStatus(null, "", Duration.ZERO, () -> true, null, Clock.systemUTC());

  @Test
  void hasNoStatusBeforeTheFirstCycleAndForOtherSettings() throws Exception {
    int port = Http.freePort();
    ManagementServer server = new ManagementServer(port, null, () -> "", NO_STATUS, "hash");
    server.start();
    try {
      Http http = new Http(port);
      for (String path : List.of("/observe/status", "/observe/status.json")) {
        assertEquals(503, http.status("GET", path));
        assertEquals(503, http.status("GET", path + "?settings=hash"));
        assertEquals(409, http.status("GET", path + "?settings=other"));
        assertEquals(405, http.status("POST", path));
      }
      // The command waits for the first cycle, and does not probe beside this manager.
      RunningManager.Answer answer = RunningManager.ask(port, "hash", /* json= */ true);
      assertFalse(answer.hasStatus());
      assertEquals(1, answer.exitCode());
      assertEquals(
          "[\"no cycle has ended since this manager started\"]",
          new ObjectMapper().readTree(answer.text()).get("reasons").toString());
      assertNull(RunningManager.ask(port, "other", /* json= */ false));
    } finally {
      server.stop();
    }
  }

  @Test
  void reportsThatAPageCannotBeMade() {
    int port = Http.freePort();
    ManagementServer server =
        new ManagementServer(
            port,
            null,
            () -> {
              throw new IllegalStateException("of the test");
            },
            NO_STATUS,
            "hash");
    server.start();
    try {
      assertEquals(500, new Http(port).status("GET", "/observe/metrics"));
    } finally {
      server.stop();
    }
  }

  /** Runs in a separate JVM, since the JDK's server reads its options once. */
  @Test
  void slowClientsDoNotHoldItUp() throws Exception {
    int port = Http.freePort();
    Process server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@src/main/dist/config/jvm.options",
                "-cp",
                System.getProperty("java.class.path"),
                Server.class.getName(),
                String.valueOf(port))
            .inheritIO()
            .start();
    List<Socket> clients = new ArrayList<>();
    try {
      Http http = new Http(port);
      await().until(() -> http.status("GET", "/observe/metrics") == 200);
      Duration longest = Duration.ZERO;
      for (int i = 0; i < 70; i++) {
        Socket client = new Socket("127.0.0.1", port);
        clients.add(client);
        client.getOutputStream().write('G');
        Thread.sleep(100);
        if (i % 10 == 9) {
          long start = System.nanoTime();
          assertEquals(200, http.status("GET", "/observe/metrics"));
          Duration took = Duration.ofNanos(System.nanoTime() - start);
          longest = took.compareTo(longest) > 0 ? took : longest;
        }
      }
      // The kubelet waits for 1 s by default.
      assertTrue(longest.toMillis() < 1000, longest.toString());
    } finally {
      server.destroyForcibly();
      for (Socket client : clients) {
        client.close();
      }
    }
  }

  /** Runs only the server. */
  static final class Server {
    public static void main(String[] arguments) throws InterruptedException {
      new ManagementServer(Integer.parseInt(arguments[0]), null, () -> "", NO_STATUS, "hash")
          .start();
      Thread.sleep(Long.MAX_VALUE);
    }
  }
}
