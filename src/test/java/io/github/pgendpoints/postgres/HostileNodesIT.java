package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.postgres.FakeNode.answerTrue;
import static io.github.pgendpoints.postgres.FakeNode.authenticationSasl;
import static io.github.pgendpoints.postgres.FakeNode.beSilent;
import static io.github.pgendpoints.postgres.FakeNode.drip;
import static io.github.pgendpoints.postgres.FakeNode.error;
import static io.github.pgendpoints.postgres.FakeNode.message;
import static io.github.pgendpoints.postgres.FakeNode.welcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.postgres.FakeNode.Conversation;
import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.topology.State;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Nodes that do what PostgreSQL never does. A probe waits for none of them longer than allowed. */
@Tag("long")
@Tag("alone")
class HostileNodesIT {
  private static final Duration AT_ONCE = Duration.ofMillis(700);

  /** Two attempts of TCP_CONNECT_TIMEOUT, and a margin for the test machine. */
  private static final Duration CONNECT = Duration.ofMillis(1000 + 600);

  /** PGCONNECT_TIMEOUT, and a margin for the test machine. */
  private static final Duration WHOLE = Duration.ofMillis(ProbeRoute.TIMEOUT * 1000 + 500);

  static Stream<Arguments> nodes() {
    byte[] binary = new byte[40_000];
    new Random(1).nextBytes(binary);
    return Stream.of(
        node("is silent", WHOLE, "DOWN", "no answer within 2 s", (in, out) -> beSilent(in)),
        node(
            "drips an error before the login",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              message(out, 'E', 9000);
              drip(out);
            }),
        node("closes", AT_ONCE, "DOWN", "the server closed the connection", (in, out) -> {}),
        node(
            "speaks HTTP",
            AT_ONCE,
            "UNKNOWN",
            "Protocol error",
            (in, out) -> {
              out.writeBytes("HTTP/1.1 400 Bad Request\r\n\r\n");
              beSilent(in);
            }),
        node(
            "starts up",
            AT_ONCE,
            "DOWN",
            "FATAL: the database system is starting up",
            (in, out) -> error(out, "57P03", text("the database system is starting up"))),
        node(
            "shuts down",
            AT_ONCE,
            "DOWN",
            "FATAL: the database system is shutting down",
            (in, out) -> error(out, "57P03", text("the database system is shutting down"))),
        node(
            "freezes in the login",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              authenticationSasl(out);
              beSilent(in);
            }),
        node(
            "drips in the login",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              authenticationSasl(out);
              message(out, 'E', 100_000);
              drip(out);
            }),
        node(
            "wants the password hashed for an hour",
            AT_ONCE,
            "UNKNOWN",
            "exceeds the client-side limit",
            (in, out) -> {
              authenticationSasl(out);
              in.readByte();
              String first = new String(in.readNBytes(in.readInt() - 4), StandardCharsets.UTF_8);
              byte[] next =
                  text(first.substring(first.indexOf("r=")) + "x,s=c2FsdA==,i=2147483647");
              message(out, 'R', 4 + next.length);
              out.writeInt(11);
              out.write(next);
              beSilent(in);
            }),
        node(
            "closes in the login",
            AT_ONCE,
            "DOWN",
            "the server closed the connection",
            (in, out) -> authenticationSasl(out)),
        node(
            "speaks nonsense in the login",
            AT_ONCE,
            "UNKNOWN",
            "",
            (in, out) -> {
              message(out, 'R', 1);
              out.write(binary);
              beSilent(in);
            }),
        node(
            "refuses with a long text",
            AT_ONCE,
            "UNKNOWN",
            "FATAL: xxxxxxxxxxxxxxx",
            (in, out) -> error(out, "28000", text("x".repeat(900_000)))),
        node(
            "refuses with binary text",
            AT_ONCE,
            "UNKNOWN",
            "",
            (in, out) -> error(out, "28000", binary)),
        node(
            "sends an error without end",
            WHOLE,
            "UNKNOWN",
            "the server sent more than",
            (in, out) -> {
              authenticationSasl(out);
              message(out, 'E', Integer.MAX_VALUE - 4);
              while (true) {
                out.write(binary);
              }
            }),
        node(
            "freezes in the query",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              welcome(out);
              beSilent(in);
            }),
        node(
            "drips in the query",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              welcome(out);
              in.read();
              message(out, 'N', 100_000);
              drip(out);
            }),
        node(
            "fails in the query",
            AT_ONCE,
            "UNKNOWN",
            "FATAL: out of memory",
            (in, out) -> {
              welcome(out);
              in.read();
              error(out, "53200", text("out of memory"));
              message(out, 'Z', 1);
              out.write('I');
              beSilent(in);
            }),
        node(
            "closes in the query",
            AT_ONCE,
            "DOWN",
            "the server closed the connection",
            (in, out) -> {
              welcome(out);
              in.read();
            }),
        node(
            "answers the query with one column",
            AT_ONCE,
            "UNKNOWN",
            "the answer to the query is invalid",
            (in, out) -> {
              welcome(out);
              in.read();
              answerTrue(out);
              beSilent(in);
            }),
        node(
            "answers the query without end",
            AT_ONCE,
            "UNKNOWN",
            "the server sent more than 131072 bytes",
            (in, out) -> {
              welcome(out);
              in.read();
              message(out, 'N', 200_000);
              for (int i = 0; i < 5; i++) {
                out.write(binary);
              }
              beSilent(in);
            }),
        node(
            "promises a gigabyte in the query",
            AT_ONCE,
            "UNKNOWN",
            "exceeded maxResultBuffer limit",
            (in, out) -> {
              welcome(out);
              in.read();
              message(out, '1', 0);
              message(out, '2', 0);
              message(out, 'D', 1_000_000_000);
              out.writeShort(1);
              out.writeInt(1_000_000_000 - 6);
              beSilent(in);
            }),
        node(
            "promises more than comes in the query",
            WHOLE,
            "DOWN",
            "no answer within 2 s",
            (in, out) -> {
              welcome(out);
              in.read();
              message(out, 'T', 1_000_000);
              out.write(binary);
              beSilent(in);
            }));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("nodes")
  void isNeverWaitedForTooLong(
      String what, Duration atMost, String state, String reason, Conversation conversation) {
    try (FakeNode fake = FakeNode.talking(conversation);
        ProbeRoute route = new ProbeRoute().with("PGSSLMODE", "disable")) {
      route.ask("127.0.0.1:1");

      Answer answer = route.ask("127.0.0.1:" + fake.port());

      assertEquals(state, answer.state(), answer.toString());
      assertTrue(answer.node().reason().contains(reason), answer.toString());
      assertTrue(answer.node().reason().length() <= 200, answer.toString());
      assertTrue(
          answer.node().reason().codePoints().noneMatch(Character::isISOControl),
          answer.toString());
      assertTrue(answer.took().compareTo(atMost) < 0, answer.toString());
    }
  }

  @Test
  void nonsenseEndsNoCycle() {
    Random random = new Random(7);
    try (FakeNode fake =
            FakeNode.talking(
                (in, out) -> {
                  welcome(out);
                  in.read();
                  for (int i = 0; i < 5; i++) {
                    byte[] junk = new byte[random.nextInt(60)];
                    random.nextBytes(junk);
                    message(out, "TE12CtnSAZGNR".charAt(random.nextInt(13)), junk.length);
                    out.write(junk);
                  }
                });
        ProbeRoute route =
            new ProbeRoute().with("PGSSLMODE", "disable").with("PGCONNECT_TIMEOUT", "1")) {
      for (int i = 0; i < 100; i++) {
        Answer answer = route.ask("127.0.0.1:" + fake.port());
        assertNotEquals(State.PRIMARY, answer.node().state());
        assertTrue(answer.took().compareTo(WHOLE) < 0, answer.toString());
      }
    }
  }

  @Test
  void aLocalErrorMeansUnknown() {
    Executor exhausted =
        task -> {
          throw new OutOfMemoryError("Java heap space");
        };
    try (ProbeRoute route = new ProbeRoute().withResolver(new Resolver(exhausted, true))) {
      Answer answer = route.ask("a-name-to-look-up:1");
      assertEquals("UNKNOWN", answer.state(), answer.toString());
      assertEquals("its name does not resolve: Java heap space", answer.node().reason());
    }
  }

  @Test
  void refusedIsKnownAtOnce() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    try (ProbeRoute route = new ProbeRoute()) {
      route.ask("127.0.0.1:1");
      Answer answer = route.ask("127.0.0.1:" + port);
      assertEquals("DOWN", answer.state());
      assertEquals("Connection refused", answer.node().reason());
      assertTrue(answer.took().compareTo(AT_ONCE) < 0, answer.toString());
    }
  }

  @Test
  void aBlackHoleCostsTheConnectTimeout() {
    try (FakeNode fake = FakeNode.blackHole();
        ProbeRoute route = new ProbeRoute()) {
      Answer answer = route.ask("127.0.0.1:" + fake.port());
      assertEquals("DOWN", answer.state(), answer.toString());
      assertEquals("no answer within 0.5 s", answer.node().reason());
      assertTrue(answer.took().compareTo(CONNECT) < 0, answer.toString());
    }
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Arguments node(
      String what, Duration atMost, String state, String reason, Conversation conversation) {
    return Arguments.of(what, atMost, state, reason, conversation);
  }
}
