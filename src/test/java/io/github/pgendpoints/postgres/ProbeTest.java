package io.github.pgendpoints.postgres;

import static io.github.pgendpoints.topology.Nodes.node;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Protection;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.UnreadValue;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.springframework.jdbc.CannotGetJdbcConnectionException;

class ProbeTest {
  private static final InetAddress ADDRESS = Addresses.parse("10.0.0.1");

  /** The table of SQLStates in docs/rules.md. */
  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(State.DOWN, new SQLException("refused", "08001", new ConnectException("no"))),
        Arguments.of(State.DOWN, new SQLException("eof", "08006", new EOFException())),
        Arguments.of(State.DOWN, new SQLException("slow", "08006", new SocketTimeoutException())),
        Arguments.of(State.DOWN, new SQLException("closed", "08003")),
        Arguments.of(State.DOWN, new SQLException("terminating connection", "57P01")),
        Arguments.of(State.DOWN, new SQLException("crash of another process", "57P02")),
        Arguments.of(State.DOWN, new SQLException("the database system is starting up", "57P03")),
        Arguments.of(State.UNKNOWN, new SQLException("no SSL", "08004")),
        Arguments.of(
            State.UNKNOWN, new SQLException("TLS", "08006", new SSLHandshakeException("no path"))),
        Arguments.of(
            State.UNKNOWN, new SQLException("TLS 1.3", "08001", new SSLException("unknown ca"))),
        Arguments.of(
            State.DOWN,
            new SQLException(
                "hung up",
                "08006",
                new SSLHandshakeException("terminated").initCause(new EOFException()))),
        Arguments.of(
            State.UNKNOWN, new SQLException("endless", "08006", new ProtocolException("too much"))),
        Arguments.of(
            State.UNKNOWN, new SQLException("no such file", "08006", new FileNotFoundException())),
        Arguments.of(State.UNKNOWN, new SQLException("no sense", "08P01")),
        Arguments.of(State.UNKNOWN, new SQLTransientConnectionException("request timed out")),
        Arguments.of(State.UNKNOWN, new SQLException("host name not verified", "08006")),
        Arguments.of(State.UNKNOWN, new SQLException("too many connections", "53300")),
        Arguments.of(State.UNKNOWN, new SQLException("password authentication failed", "28P01")),
        Arguments.of(State.UNKNOWN, new SQLException("no pg_hba.conf entry", "28000")),
        Arguments.of(State.UNKNOWN, new SQLException("no such database", "3D000")),
        Arguments.of(State.UNKNOWN, new SQLException("permission denied", "42501")),
        Arguments.of(State.UNKNOWN, new SQLException("out of memory", "53200")),
        Arguments.of(State.UNKNOWN, new SQLException("no state at all")));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void mapsEachFailureToAState(State expected, SQLException failure) {
    NodeState wrapped =
        Probe.failed(
            node("db1"), ADDRESS, new CannotGetJdbcConnectionException("by Spring", failure));

    assertEquals(expected, wrapped.state());
    assertEquals("10.0.0.1", wrapped.address());
    assertEquals(null, wrapped.server());
  }

  @ParameterizedTest
  @CsvSource({
    "57P01,true",
    "57P02,true",
    "57P03,true",
    "57P04,true",
    "57P05,true",
    "25P03,true",
    "25P04,true",
    "08003,true",
    "08006,true",
    "08P01,true",
    "57014,false",
    "0A000,false",
    "42501,false",
    "28P01,false"
  })
  void knowsTheErrorsThatEndASession(String state, boolean ended) {
    assertEquals(ended, Probe.sessionEnded(new SQLException("x", state)));
  }

  @ParameterizedTest
  @CsvSource({"FATAL,true", "PANIC,true", "ERROR,false"})
  void knowsThatAFatalErrorEndsASession(String severity, boolean ended) {
    ServerErrorMessage message =
        new ServerErrorMessage("S%s\0C40001\0Mconflict with recovery\0".formatted(severity));

    assertEquals(ended, Probe.sessionEnded(new PSQLException(message)));
  }

  @Test
  void doesNotNeedASeverity() {
    assertFalse(
        Probe.sessionEnded(new PSQLException(new ServerErrorMessage("C40001\0Mno severity\0"))));
  }

  @Test
  void anInvalidAnswerIsUnknown() {
    Map<String, Object> nonsense = row(false, "0000001A");
    nonsense.put("insert_lsn", "\u001b[31mfar away");

    assertEquals(State.UNKNOWN, answered(nonsense).state());
    assertEquals(State.UNKNOWN, answered(Map.of()).state());
    assertEquals(State.UNKNOWN, answered(Map.of("in_recovery", "yes")).state());
  }

  @Test
  void describesAClosedConnection() {
    assertEquals(
        "the server closed the connection",
        Probe.failed(node("db1"), ADDRESS, new SQLException("x", "08006", new EOFException()))
            .reason());
  }

  @Test
  void cleansTheServersMessageToOneLine() {
    SQLException failure =
        new SQLException(
            "FATAL: no\n\tentry \u001b[31m\u202e\u2028\u0085"
                + "x".repeat(165)
                + "\ud83d\ude00".repeat(9),
            "28000");

    String reason = Probe.failed(node("db1"), ADDRESS, failure).reason();

    assertTrue(reason.startsWith("FATAL: no entry [31m xxx"), reason);
    assertTrue(reason.endsWith("\ud83d\ude00…"), reason);
    assertTrue(reason.length() == 199 || reason.length() == 200, reason);
    assertFalse(reason.chars().anyMatch(Character::isISOControl), reason);
  }

  @Test
  void readsAPrimaryWithTheTimelineOfTheWalItWrites() {
    assertEquals(
        NodeState.answered(
            node("db1"),
            State.PRIMARY,
            "10.0.0.1",
            new Server("7001", 10L, 26L, Lsn.of("0/30"), false)),
        answered(row(false, "0000001A")));
  }

  @Test
  void readsAStandby() {
    assertEquals(
        NodeState.answered(
            node("db1"),
            State.STANDBY,
            "10.0.0.1",
            new Server("7001", 10L, null, Lsn.of("0/30"), true)),
        answered(row(true, null)));
  }

  @ParameterizedTest
  @CsvSource({
    "system_identifier,abc",
    "system_identifier,-1",
    "system_identifier,123456789012345678901",
    "system_identifier,18446744073709551616",
    "started_at,2026-01-01 00:00:00+00",
    "replicas,'10.0.0.1,db2'",
    "replicas,1.2.3.4.5",
    "replicas,''",
    "timeline,123456789",
    "timeline,-1",
  })
  void rejectsInvalidColumnValues(String column, String text) {
    Map<String, Object> row = row(false, "1");
    row.put(column, text);

    assertEquals(State.UNKNOWN, answered(row).state());
  }

  @Test
  void readsWhoFollowsWhom() {
    Map<String, Object> row = row(true, 2);
    row.put("source_host", "2001:0db8:0:0::1");
    row.put("source_port", 5432);
    row.put("replicas", "::ffff:10.0.0.2,2001:db8:0::3,10.0.0.2");
    row.put("monitor", true);
    row.put("history_function", true);

    Server server = answered(row).server();

    assertEquals("[2001:db8::1]:5432", server.source());
    assertEquals(Set.of("10.0.0.2", "2001:db8::3"), server.replicas());
    assertEquals(Set.of(Right.MONITOR, Right.HISTORY), server.rights());
  }

  @ParameterizedTest
  @CsvSource({
    "db2.example,db2.example:6432",
    "10.0.0.2,10.0.0.2:6432",
    "/var/run/postgresql,",
    "a b,",
    ",",
  })
  void takesANameOrAnAddressForASource(String host, String source) {
    Map<String, Object> row = row(true, 2);
    row.put("source_host", host);
    row.put("source_port", 6432);

    assertEquals(source, answered(row).server().source());
  }

  @Test
  void usesAWalsenderOnlyForAHiddenTimeline() {
    Map<String, Object> row = row(true, 2);
    row.put("receiver_status", "streaming");
    assertFalse(Probe.hidesTimeline(answer(row)), "no right");
    row.put("replication", true);
    assertFalse(Probe.hidesTimeline(answer(row)), "it tells");
    row.put("receiver_status", "waiting");
    assertTrue(Probe.hidesTimeline(answer(row)));
    row.put("received_tli", null);
    assertTrue(Probe.hidesTimeline(answer(row)));
    row.put("in_recovery", false);
    assertTrue(Probe.hidesTimeline(answer(row)), "a primary");
    row.put("timeline", "00000002");
    assertFalse(Probe.hidesTimeline(answer(row)), "it tells");
  }

  /** Without the right to read the history, a higher timeline alone would count as a promotion. */
  @Test
  void treatsALateRightAsGranted() {
    Map<String, Object> row = row(false, "1");
    assertFalse(answered(row).server().rights().contains(Right.HISTORY));

    ProbeQuery.Answer late = new ProbeQuery.Answer(row, Map.of(), Set.of("history_function"));
    assertTrue(
        Probe.answered(node("db1"), ADDRESS, late).server().rights().contains(Right.HISTORY));
  }

  @Test
  void takesTheHighestTimelineOfAStandby() {
    Map<String, Object> row = row(true, 2);
    row.put("checkpoint_tli", 3);
    assertEquals(3, answered(row).server().timeline());
    row.put("recovery_tli", 4);
    assertEquals(4, answered(row).server().timeline());
    row.put("received_tli", null);
    assertEquals(null, answered(row).server().timeline());
  }

  @Test
  void turnsOffOnlyTheAffectedProtection() {
    Map<String, Object> row = row(true, 2);
    row.remove("receiver");
    row.remove("replay_lsn");
    Server server =
        Probe.answered(
                node("db1"),
                ADDRESS,
                new ProbeQuery.Answer(
                    row,
                    Map.of(
                        column("receiver"), UnreadValue.NOT_GRANTED,
                        column("replay_lsn"), "not supported",
                        column("insert_lsn"), "not supported"),
                    Set.of()))
            .server();

    assertTrue(server.streaming(), "a receiver is not known to be missing");
    assertEquals(
        Map.of(
            Protection.STREAMING,
            new UnreadValue(
                UnreadValue.NOT_GRANTED,
                List.of("SELECT ON TABLE pg_catalog.pg_stat_wal_receiver")),
            Protection.STANDBY_POSITION,
            new UnreadValue(
                "not supported",
                List.of("EXECUTE ON FUNCTION pg_catalog.pg_last_wal_replay_lsn()"))),
        server.unread());
  }

  static Stream<Arguments> reasons() {
    return Stream.of(
        Arguments.of(
            Failure.SILENT, new SQLException("slow", "08001", new SocketTimeoutException())),
        Arguments.of(
            Failure.SILENT,
            new SQLException(
                "hung",
                "08006",
                new SSLHandshakeException("no").initCause(new SocketTimeoutException()))),
        Arguments.of(
            Failure.SILENT, new SQLException("no name yet", "08001", new TimeoutException())),
        Arguments.of(Failure.FULL, new SQLException("sorry, too many clients already", "53300")),
        Arguments.of(Failure.LOGIN_REFUSED, new SQLException("password", "28P01")),
        Arguments.of(Failure.LOGIN_REFUSED, new SQLException("no entry", "28000")),
        Arguments.of(Failure.LOGIN_REFUSED, new SQLException("no database", "3D000")),
        Arguments.of(Failure.OTHER, new SQLException("no", "08001", new ConnectException("no"))),
        Arguments.of(Failure.OTHER, new SQLException("starting up", "57P03")),
        Arguments.of(Failure.OTHER, new SQLException("temporary files", "53400")),
        Arguments.of(Failure.OTHER, new SQLException("hung up", "08006", new EOFException())));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void classifiesEachFailure(Failure expected, SQLException failure) {
    assertEquals(
        expected,
        Probe.failed(node("db1"), ADDRESS, new CannotGetJdbcConnectionException("x", failure))
            .failure());
  }

  private static NodeState answered(Map<String, Object> row) {
    return Probe.answered(node("db1"), ADDRESS, answer(row));
  }

  private static ProbeQuery.Answer answer(Map<String, Object> row) {
    return new ProbeQuery.Answer(row, Map.of(), Set.of());
  }

  private static ProbeColumn column(String name) {
    return ProbeColumn.ALL.stream()
        .filter(column -> column.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Map<String, Object> row(boolean inRecovery, Object timeline) {
    Map<String, Object> row = new HashMap<>();
    row.put("in_recovery", inRecovery);
    row.put("system_identifier", "7001");
    row.put("started_at", 10L);
    row.put(inRecovery ? "received_tli" : "timeline", timeline);
    row.put(inRecovery ? "replay_lsn" : "insert_lsn", "0/30");
    row.put("receiver", inRecovery ? 4711 : null);
    return row;
  }
}
