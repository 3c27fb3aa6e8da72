package io.github.pgendpoints.support.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * That the cluster of the other integration tests behaves as one in production does.
 *
 * <p>Tests which leave the shared cluster as it was use that one, the others one of their own.
 */
@Tag("long")
class PostgresClusterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static PostgresCluster shared;

  @BeforeAll
  static void startCluster() throws SQLException {
    shared = PostgresCluster.start();
  }

  @AfterAll
  static void closeCluster() {
    shared.close();
  }

  private static PostgresCluster onePrimary() throws SQLException {
    return PostgresCluster.start(new PostgresCluster.Options().standbys(0));
  }

  @Test
  void standbysReplayWhatThePrimaryWrites() throws SQLException {
    List<PostgresServer> standbys = shared.standbys();

    write(shared.primary(), "row");

    assertEquals(2, standbys.size());
    assertFalse(shared.primary().isInRecovery());
    for (PostgresServer standby : standbys) {
      assertTrue(standby.isInRecovery());
      assertEquals(systemIdentifier(shared.primary()), systemIdentifier(standby));
      awaitWritten(standby, "row");
    }
  }

  @Test
  void serversDifferInTheirAddressOnly() {
    assertEquals(
        List.of("127.0.0.1", "127.0.0.2", "127.0.0.3"),
        shared.servers().stream().map(PostgresServer::host).toList());
    assertEquals(
        List.of(shared.port()),
        shared.servers().stream().map(PostgresServer::port).distinct().toList());
  }

  @Test
  void userOfTheProgramMayLogInAndNothingElse() throws SQLException {
    PostgresServer standby = shared.standbys().get(0);

    try (Connection connection = connectAsUser(standby, "sslmode=disable")) {
      assertTrue(connection.isValid(1));
    }

    assertEquals(
        "28P01",
        assertThrows(
                SQLException.class,
                () -> standby.connect(PostgresCluster.USER, "wrong", PostgresCluster.DATABASE))
            .getSQLState());
    assertEquals(
        "f",
        standby.sql(
            "SELECT rolsuper OR rolreplication OR rolcreatedb OR rolcreaterole"
                + " OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)"
                + " FROM pg_roles WHERE rolname = '"
                + PostgresCluster.USER
                + "'"));
  }

  @Test
  void failOverRaisesTheTimelineAndTheOtherStandbyFollows() throws SQLException {
    try (PostgresCluster cluster = PostgresCluster.start()) {
      PostgresServer old = cluster.primary();
      PostgresServer promoted = cluster.standbys().get(0);
      PostgresServer other = cluster.standbys().get(1);
      assertEquals(1, old.timeline());

      old.stop();
      promoted.promote();
      other.follow(promoted);

      assertEquals(promoted, cluster.primary());
      assertEquals(List.of(other), cluster.standbys());
      assertEquals(2, promoted.timeline());
      write(promoted, "after failover");
      awaitWritten(other, "after failover");
    }
  }

  @Test
  void formerPrimaryRejoinsAsStandby() throws SQLException {
    try (PostgresCluster cluster = PostgresCluster.start()) {
      PostgresServer old = cluster.primary();
      // At the very beginning of a segment, a standby is ahead of where the other one forks.
      write(old, "before it was killed");
      cluster.waitUntilReplayed();
      old.kill();
      PostgresServer promoted = cluster.furthestStandby();
      PostgresServer other =
          cluster.standbys().stream().filter(s -> s != promoted).findFirst().orElseThrow();
      promoted.promote();
      write(promoted, "while the old primary was away");
      old.start();
      assertFalse(old.isInRecovery(), "until it rejoins there are two primaries");

      cluster.rejoin(old);
      other.follow(promoted);
      cluster.waitUntilStreaming();

      assertEquals(2, cluster.standbys().size());
      assertTrue(old.isInRecovery());
      awaitWritten(old, "while the old primary was away");
    }
  }

  @Test
  void serversPromotedApartFromEachOtherAreOnOneTimeline() throws SQLException {
    try (PostgresCluster cluster = PostgresCluster.start()) {
      PostgresServer first = cluster.standbys().get(0);
      PostgresServer second = cluster.standbys().get(1);

      first.promote();
      second.requestPromotion();
      await().atMost(PATIENCE).until(() -> !second.isInRecovery());

      assertEquals(second, cluster.primary());
      assertEquals(
          List.of(1, 2, 2), cluster.servers().stream().map(PostgresClusterIT::timeline).toList());
    }
  }

  @Test
  void standbyIsAddedWhileThePrimaryIsInUse() throws SQLException {
    try (PostgresCluster cluster = onePrimary()) {
      write(cluster.primary(), "before");

      PostgresServer added = cluster.addStandby();

      assertEquals("127.0.0.2", added.host());
      assertEquals(1, cluster.standbys().size());
      awaitWritten(added, "before");
    }
  }

  @Test
  void frozenServerAcceptsConnectionsAndNeverAnswers() throws SQLException {
    PostgresServer server = shared.standbys().get(0);
    try (Connection connection = connectAsUser(server, "socketTimeout=1")) {
      server.freeze();

      SQLException inSession =
          assertThrows(
              SQLException.class,
              () -> connection.createStatement().execute("SELECT pg_is_in_recovery()"));
      SQLException anew =
          assertThrows(SQLException.class, () -> connectAsUser(server, "socketTimeout=1"));
      assertEquals(SocketTimeoutException.class, inSession.getCause().getClass());
      assertEquals(SocketTimeoutException.class, anew.getCause().getClass());
    }

    server.thaw();

    assertTrue(server.isInRecovery());
    write(shared.primary(), "after the thaw");
    awaitWritten(server, "after the thaw");
  }

  @Test
  void killedServerRefusesConnectionsUntilItIsStartedAgain() throws SQLException {
    PostgresServer primary = shared.primary();
    write(primary, "before the crash");

    primary.kill();

    assertFalse(primary.isRunning());
    SQLException refused = assertThrows(SQLException.class, primary::connect);
    assertEquals("08001", refused.getSQLState());
    primary.start();
    shared.waitUntilStreaming();
    awaitWritten(primary, "before the crash");
  }

  @Test
  void frozenServerCanBeKilled() {
    PostgresServer standby = shared.standbys().get(0);
    standby.freeze();

    standby.kill();

    assertFalse(standby.isRunning());
    standby.start();
  }

  @Test
  void stoppedServersStartAgain() throws SQLException {
    String startedAt = startedAt(shared.primary());
    shared.standbys().get(0).stopImmediately();
    shared.primary().restart();
    shared.standbys().get(0).start();

    shared.waitUntilStreaming();

    assertNotEquals(startedAt, startedAt(shared.primary()));
  }

  @Test
  void serverThatDoesNotStartTellsWhy() throws SQLException {
    try (PostgresCluster cluster = onePrimary()) {
      PostgresServer server = cluster.primary();
      server.stop();
      server.appendToPostgresqlConf("no_such_setting = 1");

      IllegalStateException failure = assertThrows(IllegalStateException.class, server::start);

      assertTrue(failure.getMessage().contains("no_such_setting"), failure.getMessage());
    }
  }

  @Test
  void accessRulesApplyOnceReloaded() throws SQLException {
    try (PostgresCluster cluster = onePrimary()) {
      PostgresServer server = cluster.primary();
      server.prependToPgHba("host all " + PostgresCluster.USER + " all reject");

      server.reload();

      SQLException rejected =
          assertThrows(SQLException.class, () -> connectAsUser(server, "sslmode=disable"));
      assertEquals("28000", rejected.getSQLState());
    }
  }

  @Test
  void tlsIsOnOnceEnabled(@TempDir Path folder) throws Exception {
    try (PostgresCluster cluster = onePrimary()) {
      PostgresServer server = cluster.primary();
      assertThrows(SQLException.class, () -> connectAsUser(server, "sslmode=require"));

      selfSignedCertificate(folder);
      server.enableTls(folder.resolve("server.crt"), folder.resolve("server.key"));

      try (Connection connection = connectAsUser(server, "sslmode=require")) {
        assertTrue(connection.isValid(1));
      }
    }
  }

  @Test
  void clustersAreForeignToEachOther() throws SQLException {
    try (PostgresCluster foreign =
        PostgresCluster.start(new PostgresCluster.Options().standbys(0).maxConnections(7))) {
      assertNotEquals(systemIdentifier(shared.primary()), systemIdentifier(foreign.primary()));
      assertEquals("7", foreign.primary().sql("SHOW max_connections"));
    }
  }

  @Test
  void nothingIsLeftOfAClosedCluster() throws SQLException {
    PostgresCluster closed = PostgresCluster.start();
    List<PostgresServer> servers = closed.servers();
    Path folder = servers.get(0).dataDirectory().getParent().getParent();
    servers.get(0).kill();
    servers.get(1).freeze();
    List<ProcessHandle> processes =
        ProcessHandle.current()
            .children()
            .filter(child -> child.info().commandLine().orElse("").contains(folder.toString()))
            .flatMap(postmaster -> Stream.concat(Stream.of(postmaster), postmaster.descendants()))
            .toList();
    assertTrue(processes.size() > 2, () -> "two postmasters and their children: " + processes);

    closed.close();

    assertTrue(processes.stream().allMatch(OperatingSystem::isGone));
    assertFalse(Files.exists(folder));
    assertThrows(IllegalStateException.class, servers.get(0)::start);
  }

  private static void write(PostgresServer server, String text) throws SQLException {
    server.sql("CREATE TABLE IF NOT EXISTS written (line text)");
    server.sql("INSERT INTO written VALUES ('" + text + "')");
  }

  private static void awaitWritten(PostgresServer server, String text) {
    await(server + " has '" + text + "'")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .ignoreExceptionsInstanceOf(SQLException.class)
        .until(
            () ->
                "t"
                    .equals(
                        server.sql(
                            "SELECT EXISTS(TABLE written INTERSECT SELECT '" + text + "')")));
  }

  private static int timeline(PostgresServer server) {
    try {
      return server.timeline();
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  private static String systemIdentifier(PostgresServer server) throws SQLException {
    return server.sql("SELECT system_identifier FROM pg_control_system()");
  }

  private static String startedAt(PostgresServer server) throws SQLException {
    return server.sql("SELECT pg_postmaster_start_time()");
  }

  private static Connection connectAsUser(PostgresServer server, String parameter)
      throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", PostgresCluster.USER);
    properties.setProperty("password", PostgresCluster.PASSWORD);
    return DriverManager.getConnection(
        server.jdbcUrl(PostgresCluster.DATABASE) + "?" + parameter, properties);
  }

  private static void selfSignedCertificate(Path folder) throws Exception {
    Path store = folder.resolve("store.p12");
    OperatingSystem.run(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-keyalg",
            "EC",
            "-alias",
            "server",
            "-dname",
            "CN=server",
            "-keystore",
            store.toString(),
            "-storepass",
            "password"));
    char[] password = "password".toCharArray();
    KeyStore keys = KeyStore.getInstance(store.toFile(), password);
    pem(folder.resolve("server.crt"), "CERTIFICATE", keys.getCertificate("server").getEncoded());
    pem(folder.resolve("server.key"), "PRIVATE KEY", keys.getKey("server", password).getEncoded());
  }

  private static void pem(Path file, String type, byte[] content) throws IOException {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Files.writeString(
        file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(type, base64, type));
  }
}
