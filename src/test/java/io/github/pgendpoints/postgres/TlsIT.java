package io.github.pgendpoints.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.postgres.ProbeRoute.Answer;
import io.github.pgendpoints.support.postgres.Certificates;
import io.github.pgendpoints.support.postgres.Certificates.Signed;
import io.github.pgendpoints.support.postgres.PostgresCluster;
import io.github.pgendpoints.support.postgres.PostgresServer;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.time.Duration;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The six values of PGSSLMODE, against a server whose certificate is for db1.example. */
@Tag("long")
class TlsIT {
  @TempDir private static Path folder;

  private static PostgresCluster cluster;
  private static PostgresCluster plain;
  private static PostgresServer server;
  private static Certificates authority;
  private static Certificates stranger;

  @BeforeAll
  static void startServer() throws SQLException {
    cluster = PostgresCluster.start(new PostgresCluster.Options().standbys(0));
    plain = PostgresCluster.start(new PostgresCluster.Options().standbys(0));
    server = cluster.primary();
    authority = new Certificates(folder, "authority");
    stranger = new Certificates(folder, "stranger");
    Signed own = authority.sign("server", "EC", "dns:db1.example");
    server.enableTls(own.certificate(), own.key());
    server.trustClientsOf(authority);
    for (String role : new String[] {"by_rsa", "by_ec", "tls_only", "plain_only"}) {
      server.sql("CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(role, PostgresCluster.PASSWORD));
    }
    server.prependToPgHba(
        "hostssl all by_rsa 127.0.0.0/8 cert",
        "hostssl all by_ec 127.0.0.0/8 cert",
        "hostnossl all tls_only 127.0.0.0/8 reject",
        "hostssl all plain_only 127.0.0.0/8 reject");
    server.reload();
  }

  @AfterAll
  static void closeServer() {
    cluster.close();
    plain.close();
  }

  @ParameterizedTest
  @CsvSource({
    "disable,f",
    "allow,f",
    "prefer,t",
    "require,t",
    "verify-ca,t",
    "verify-full,t",
  })
  void encryptsAsTheModeSays(String mode, String encrypted) throws SQLException {
    try (ProbeRoute route = route(mode, authority)) {
      says(route, "db1.example", "PRIMARY", "");
      assertEquals(
          encrypted,
          server.sql(
              "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                  + " WHERE application_name = 'postgres-endpoint-manager'"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "disable,UNKNOWN,FATAL: pg_hba.conf rejects connection",
    "allow,PRIMARY,''",
    "prefer,PRIMARY,''",
    "require,PRIMARY,''",
  })
  void whereTheServerWantsTls(String mode, String state, String reason) {
    try (ProbeRoute route = route(mode, authority).with("PGUSER", "tls_only")) {
      says(route, "db1.example", state, reason);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "disable,PRIMARY,''",
    "allow,PRIMARY,''",
    "prefer,PRIMARY,''",
    "require,UNKNOWN,FATAL: pg_hba.conf rejects connection",
  })
  void whereTheServerWantsNone(String mode, String state, String reason) {
    try (ProbeRoute route = route(mode, authority).with("PGUSER", "plain_only")) {
      says(route, "db1.example", state, reason);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "allow,PRIMARY,''",
    "prefer,PRIMARY,''",
    "require,UNKNOWN,The server does not support SSL.",
    "verify-full,UNKNOWN,The server does not support SSL.",
  })
  void whereTheServerHasNoTls(String mode, String state, String reason) {
    try (ProbeRoute route = route(mode, authority)) {
      Answer answer = route.ask(plain.primary().host() + ":" + plain.port());
      assertEquals(state, answer.state(), answer.toString());
      assertTrue(answer.node().reason().contains(reason), answer.toString());
    }
  }

  @Test
  void verifyFullChecksTheListedName() {
    try (ProbeRoute route = route("verify-full", authority)) {
      says(route, "db1.example", "PRIMARY", "");
      says(
          route,
          "db2.example",
          "UNKNOWN",
          "the server's certificate is not for the name db2.example");
    }
    try (ProbeRoute route = route("verify-ca", authority)) {
      says(route, "db2.example", "PRIMARY", "");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"require", "verify-ca", "verify-full"})
  void refusesACertificateOfAnotherAuthority(String mode) {
    try (ProbeRoute route = route(mode, stranger)) {
      says(route, "db1.example", "UNKNOWN", "unable to find valid certification path");
    }
  }

  @Test
  void requireWithoutRootsTrustsEveryServer() {
    try (ProbeRoute route = route("require", null)) {
      says(route, "db2.example", "PRIMARY", "");
    }
  }

  @ParameterizedTest
  @CsvSource({"by_rsa,RSA", "by_ec,EC"})
  void logsInByAClientCertificateAndItsKeyInPem(String role, String algorithm) {
    Signed client = authority.sign(role, algorithm, "");
    try (ProbeRoute route = byCertificate(role, client)) {
      says(route, "db1.example", "PRIMARY", "");
    }
  }

  @Test
  void reportsThatAClientCertificateIsMissing() {
    try (ProbeRoute route = route("require", authority).with("PGUSER", "by_ec")) {
      says(
          route, "db1.example", "UNKNOWN", "FATAL: connection requires a valid client certificate");
    }
  }

  @Test
  void reportsAClientCertificateOfAnotherRole() {
    Signed client = authority.sign("somebody", "EC", "");
    try (ProbeRoute route = byCertificate("by_ec", client)) {
      says(
          route,
          "db1.example",
          "UNKNOWN",
          "FATAL: certificate authentication failed for user \"by_ec\"");
    }
  }

  @Test
  void reportsThatOthersMayReadTheKey() throws Exception {
    Signed client = authority.sign("careless", "EC", "");
    Files.setPosixFilePermissions(client.key(), PosixFilePermissions.fromString("rw-r--r--"));
    try (ProbeRoute route = byCertificate("by_ec", client)) {
      says(route, "db1.example", "UNKNOWN", "has group or world access");
    }
  }

  @Test
  void aFrozenServerCostsNoMoreThanWithoutTls() {
    try (ProbeRoute route = route("verify-full", authority)) {
      says(route, "db1.example", "PRIMARY", "");
      server.freeze();
      try {
        Answer answer = route.ask("db1.example:" + server.port());
        assertEquals("DOWN", answer.state(), answer.toString());
        assertEquals("no answer within 2 s", answer.node().reason());
        assertTrue(answer.took().toMillis() < 2500, answer.toString());
      } finally {
        server.thaw();
      }
      says(route, "db1.example", "PRIMARY", "");
    }
  }

  @Test
  void verifyFullKnowsAnIpv6AddressInItsShortForm() throws Exception {
    Signed own = authority.sign("ipv6", "EC", "ip:2001:db8::1");
    SSLSession session = sessionWith(own.certificate());

    assertTrue(isFor("2001:db8::1", session));
    assertFalse(isFor("2001:db8::2", session));
  }

  private static boolean isFor(String host, SSLSession session) {
    try (LoginAttempt login =
        new LoginAttempt(host, Deadline.in(Duration.ofSeconds(1)), () -> null)) {
      boolean verified = new LoginAttempt.NodeName().verify("2001:db8::9", session);
      assertEquals(!verified, login.isNameRefused());
      return verified;
    }
  }

  private static SSLSession sessionWith(Path certificate) throws Exception {
    try (InputStream file = Files.newInputStream(certificate)) {
      CertificateFactory certificates = CertificateFactory.getInstance("X.509");
      X509Certificate[] chain = {(X509Certificate) certificates.generateCertificate(file)};
      return (SSLSession)
          Proxy.newProxyInstance(
              TlsIT.class.getClassLoader(),
              new Class<?>[] {SSLSession.class},
              (proxy, method, arguments) ->
                  method.getName().equals("getPeerCertificates") ? chain : null);
    }
  }

  private static ProbeRoute byCertificate(String role, Signed client) {
    return route("verify-full", authority)
        .with("PGUSER", role)
        .with("PGPASSWORD", "")
        .with("PGSSLCERT", client.certificate().toString())
        .with("PGSSLKEY", client.key().toString());
  }

  private static ProbeRoute route(String mode, Certificates trusted) {
    return new ProbeRoute()
        .with("PGSSLMODE", mode)
        .with("PGSSLROOTCERT", trusted == null ? "" : trusted.certificate().toString())
        .withLookup(host -> new InetAddress[] {InetAddress.getByName(server.host())});
  }

  private static void says(ProbeRoute route, String host, String state, String reason) {
    Answer answer = route.ask(host + ":" + server.port());
    assertEquals(state, answer.state(), answer.toString());
    assertTrue(answer.node().reason().contains(reason), answer.toString());
  }
}
