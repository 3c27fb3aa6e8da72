package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.message;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pgendpoints.settings.TestSettings;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.State;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A session that reports role changes, on a server that is not PostgreSQL. */
class RoleSessionTest {
  private static final int BOOLEAN = 16;
  private static final int INTEGER = 23;

  private final CountDownLatch askedToSetUp = new CountDownLatch(1);

  @Test
  void anInvalidAnswerMakesTheServerUnsuitable() throws Exception {
    List<RoleSession.Report> reports = new ArrayList<>();
    try (FakeNode server = FakeNode.talking(this::talkNonsenseOnceSuitable)) {
      Node node = Node.of("127.0.0.1", server.port(), 5432);
      RoleSession session =
          new RoleSession(
              node,
              InetAddress.getByName("127.0.0.1"),
              State.PRIMARY,
              new Login(
                  TestSettings.read(
                          Map.of(
                              "PG_NODES", node.name(), "PGPASSWORD", "x", "PGSSLMODE", "disable"))
                      .postgres()),
              Duration.ofSeconds(5),
              () -> Duration.ofMillis(25),
              reports::add);

      session.run();

      assertEquals(RoleSession.Stage.UNSUITABLE, session.stage());
    }
    assertEquals(true, askedToSetUp.await(0, TimeUnit.SECONDS));
    assertEquals(List.of(), reports);
  }

  private void talkNonsenseOnceSuitable(DataInputStream in, DataOutputStream out)
      throws IOException {
    welcome(out);
    while (true) {
      char type = (char) in.readByte();
      String body = new String(in.readNBytes(in.readInt() - 4), StandardCharsets.UTF_8);
      switch (type) {
        case 'P' -> {
          if (body.contains("SET default_transaction_isolation = 'read committed'")) {
            askedToSetUp.countDown();
            // A notice without a text.
            message(out, 'N', 0);
            out.flush();
            beSilent(in);
          }
          message(out, '1', 0);
        }
        case 'B' -> message(out, '2', 0);
        case 'D' -> describe(out);
        case 'E' -> suit(out);
        case 'S' -> {
          message(out, 'Z', 1);
          out.write('I');
          out.flush();
        }
        default -> throw new IOException("a message of type " + type);
      }
    }
  }

  private static void describe(DataOutputStream out) throws IOException {
    Map<String, Integer> types =
        Map.of("pid", INTEGER, "connections", BOOLEAN, "language", BOOLEAN);
    List<String> names = List.of("pid", "connections", "language");
    message(out, 'T', 2 + names.stream().mapToInt(name -> name.length() + 19).sum());
    out.writeShort(names.size());
    for (String name : names) {
      out.writeBytes(name + "\0");
      // No table and no column, then the type, any size, no modifier, and text format.
      out.writeInt(0);
      out.writeShort(0);
      out.writeInt(types.get(name));
      out.writeShort(-1);
      out.writeInt(-1);
      out.writeShort(0);
    }
  }

  /** Sends the PID of {@link FakeNode#welcome}, and that connections and PL/pgSQL are available. */
  private static void suit(DataOutputStream out) throws IOException {
    message(out, 'D', 2 + 3 * 5);
    out.writeShort(3);
    for (char value : new char[] {'0', 't', 't'}) {
      out.writeInt(1);
      out.write(value);
    }
    byte[] tag = "SELECT 1\0".getBytes(StandardCharsets.US_ASCII);
    message(out, 'C', tag.length);
    out.write(tag);
  }
}
