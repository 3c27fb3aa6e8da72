package io.github.pgendpoints.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.ManagerTest;
import io.github.pgendpoints.support.postgres.Certificates;
import io.github.pgendpoints.support.postgres.Certificates.Signed;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which logins PGREQUIREAUTH and its default allow, for each authentication method in pg_hba. */
@ManagerTest(cluster = ManagerTest.Cluster.PER_CLASS, standbys = 0)
class AuthMethodsIT {
  private static final String REFUSED = "PGREQUIREAUTH";

  @TempDir private static Path folder;

  private static PostgresServer server;
  private static Certificates authority;
  private static Signed client;

  @BeforeAll
  static void prepareServer(PostgresCluster cluster) throws SQLException {
    server = cluster.primary();
    authority = new Certificates(folder, "authority");
    client = authority.sign("by_cert", "EC", "");
    Signed own = authority.sign("server", "EC", "dns:db1.example");
    server.enableTls(own.certificate(), own.key());
    server.trustClientsOf(authority);
    for (String role : new String[] {"by_password", "by_scram", "by_trust", "by_cert"}) {
      server.sql("CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(role, PostgresCluster.PASSWORD));
    }
    server.sql(
        "SET password_encryption = md5; CREATE ROLE by_md5 LOGIN PASSWORD '"
            + PostgresCluster.PASSWORD
            + "'");
    server.prependToPgHba(
        "host all by_password 127.0.0.0/8 password",
        "host all by_md5 127.0.0.0/8 md5",
        "host all by_scram 127.0.0.0/8 scram-sha-256",
        "host all by_trust 127.0.0.0/8 trust",
        "hostssl all by_cert 127.0.0.0/8 cert");
    server.reload();
  }

  /** PGREQUIREAUTH is not set. Each row has a PGSSLMODE, with or without PG_NODES. */
  @ParameterizedTest
  @CsvSource({
    "disable,     db1, PRIMARY, UNKNOWN, PRIMARY, PRIMARY",
    "prefer,      db1, PRIMARY, UNKNOWN, PRIMARY, PRIMARY",
    "require,     db1, PRIMARY, UNKNOWN, PRIMARY, PRIMARY",
    "verify-ca,   db1, PRIMARY, PRIMARY, PRIMARY, PRIMARY",
    "verify-full, db1, PRIMARY, PRIMARY, PRIMARY, PRIMARY",
    "prefer,      '',  PRIMARY, UNKNOWN, UNKNOWN, PRIMARY",
    "require,     '',  PRIMARY, UNKNOWN, UNKNOWN, PRIMARY",
    "verify-full, '',  PRIMARY, PRIMARY, PRIMARY, PRIMARY",
  })
  void sendsNoClearTextPasswordToUnverifiedServers(
      String mode, String nodes, String byScram, String byPassword, String byMd5, String byTrust) {
    assertEquals(byScram, state(mode, nodes, "", "by_scram"));
    assertEquals(byPassword, state(mode, nodes, "", "by_password"));
    assertEquals(byMd5, state(mode, nodes, "", "by_md5"));
    assertEquals(byTrust, state(mode, nodes, "", "by_trust"));
  }

  @ParameterizedTest
  @CsvSource({
    "password,            db1, by_password, PRIMARY",
    "password,            db1, by_scram,    UNKNOWN",
    "password,            db1, by_trust,    UNKNOWN",
    "scram-sha-256,       db1, by_md5,      UNKNOWN",
    "scram-sha-256,       db1, by_trust,    UNKNOWN",
    "scram-sha-256,       db1, by_scram,    PRIMARY",
    "'scram-sha-256,none',db1, by_trust,    PRIMARY",
    "!none,               db1, by_trust,    UNKNOWN",
    "!none,               db1, by_password, PRIMARY",
    "!none,               '',  by_password, UNKNOWN",
    "'md5,scram-sha-256', '',  by_md5,      UNKNOWN",
    "'md5,scram-sha-256', '',  by_scram,    PRIMARY",
  })
  void allowsWhatIsConfigured(String methods, String nodes, String role, String state) {
    assertEquals(state, state("prefer", nodes, methods, role));
  }

  @ParameterizedTest
  @ValueSource(strings = {"require", "verify-full"})
  void aClientCertificateNeedsNoPassword(String mode) {
    for (String nodes : new String[] {"db1", ""}) {
      try (ProbeRoute route =
          route(mode, nodes, "by_cert")
              .with("PGPASSWORD", "")
              .with("PGSSLCERT", client.certificate().toString())
              .with("PGSSLKEY", client.key().toString())) {
        Answer answer = ask(route);
        assertEquals("PRIMARY", answer.state(), answer.toString());
      }
    }
  }

  @Test
  void reportsWhichSettingRefusedTheServer() {
    try (ProbeRoute route = route("prefer", "db1", "by_password")) {
      Answer answer = ask(route);
      assertTrue(answer.node().reason().contains(REFUSED), answer.toString());
    }
  }

  /** What the client sends over the wire matters more than the state. */
  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void nothingOfThePasswordIsSent(int method) {
    AtomicBoolean sent = new AtomicBoolean();
    try (FakeNode thief =
            FakeNode.talking(
                (in, out) -> {
                  FakeNode.message(out, 'R', method == 5 ? 8 : 4);
                  out.writeInt(method);
                  if (method == 5) {
                    out.write(new byte[4]);
                  }
                  if (isPassword(in)) {
                    sent.set(true);
                  }
                });
        ProbeRoute route = new ProbeRoute().with("PGSSLMODE", "disable").with("PG_NODES", "")) {
      Answer answer = route.ask("127.0.0.1:" + thief.port());
      assertEquals("UNKNOWN", answer.state(), answer.toString());
      assertFalse(sent.get());
    }
  }

  private static boolean isPassword(DataInputStream in) throws IOException {
    return in.read() == 'p'
        && new String(in.readNBytes(in.readInt() - 4), StandardCharsets.UTF_8).length() > 1;
  }

  private static String state(String mode, String nodes, String methods, String role) {
    try (ProbeRoute route = route(mode, nodes, role).with("PGREQUIREAUTH", methods)) {
      return ask(route).state();
    }
  }

  private static Answer ask(ProbeRoute route) {
    return route.ask("db1.example:" + server.port());
  }

  /** With root certificates, the mode require would verify the server, too. */
  private static ProbeRoute route(String mode, String nodes, String role) {
    return new ProbeRoute()
        .with("PG_NODES", nodes)
        .with("PGUSER", role)
        .with("PGSSLMODE", mode)
        .with("PGSSLROOTCERT", mode.startsWith("verify") ? authority.certificate().toString() : "")
        .withLookup(host -> new InetAddress[] {InetAddress.getByName(server.host())});
  }
}
