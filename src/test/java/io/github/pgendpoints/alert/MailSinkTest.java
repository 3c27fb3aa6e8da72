package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.Run;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import io.github.pgendpoints.support.kubernetes.Tls;
import jakarta.mail.Message;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.subethamail.smtp.auth.EasyAuthenticationHandlerFactory;
import org.subethamail.smtp.auth.LoginFailedException;
import org.subethamail.smtp.server.SMTPServer;

/** The sink {@code mail} with an SMTP server, in runs whose node is down. */
class MailSinkTest {
  private static final Tls TLS = Tls.selfMade();
  private static final String PASSWORD = "mailsekret";

  @TempDir private Path folder;
  private final FakeApiServer api = new FakeApiServer("db", true).start();
  private final List<byte[]> mails = new CopyOnWriteArrayList<>();
  private final List<String> logins = new CopyOnWriteArrayList<>();
  private SMTPServer server;
  private Path certificate;
  private Path password;

  @BeforeEach
  void writeFiles() throws Exception {
    certificate = Files.writeString(folder.resolve("ca.crt"), TLS.certificate());
    password = Files.writeString(folder.resolve("password"), PASSWORD + "\n");
  }

  @AfterEach
  void stop() {
    api.close();
    if (server != null) {
      server.stop();
    }
  }

  private SMTPServer.Builder server() {
    return SMTPServer.port(0)
        .bindAddress(InetAddress.getLoopbackAddress())
        .messageHandler((context, from, to, data) -> mails.add(data))
        .authenticationHandlerFactory(
            new EasyAuthenticationHandlerFactory(
                (user, given, context) -> {
                  logins.add(user + " " + given);
                  if (!given.equals(PASSWORD)) {
                    throw new LoginFailedException();
                  }
                }));
  }

  private SMTPServer.Builder withTls() {
    return server().startTlsSocketFactory(TLS.context()).enableTLS().requireTLS().requireAuth();
  }

  private Run run(SMTPServer started) {
    server = started;
    server.start();
    return run(server.getPortAllocated());
  }

  private Run run(int port) {
    return new Run(api)
        .with("PG_NODES", "127.0.0.1")
        .with("PGPORT", "1")
        .with("ALERT_SINKS", "mail")
        .with("ALERT_MAIL_HOST", "127.0.0.1")
        .with("ALERT_MAIL_PORT", String.valueOf(port))
        .with("ALERT_MAIL_FROM", "manager@example.org")
        .with("ALERT_MAIL_TO", "dba@example.org, ops@example.org")
        .with("ALERT_MAIL_USER", "manager")
        .with("ALERT_MAIL_PASSWORD_FILE", password.toString())
        .with("ALERT_MAIL_ROOTCERT", certificate.toString());
  }

  @Test
  void mailsOverStarttlsWithALogin() throws Exception {
    try (Run run = run(withTls().build())) {
      assertEquals(1, run.once());
      assertEquals(List.of(), run.logged("sink"));
      assertFalse(run.log().toString().contains(PASSWORD));
    }
    assertEquals(2, mails.size());
    MimeMessage mail =
        new MimeMessage(
            Session.getInstance(new Properties()), new ByteArrayInputStream(mails.get(1)));
    assertEquals("[ERROR] db/pg-rw: NoPrimary", mail.getSubject());
    assertEquals("manager@example.org", mail.getFrom()[0].toString());
    assertEquals(2, mail.getRecipients(Message.RecipientType.TO).length);
    String text = mail.getContent().toString();
    assertTrue(text.startsWith("no primary, nothing is written: 127.0.0.1 is DOWN"), text);
    assertTrue(text.contains("127.0.0.1: DOWN Connection refused"), text);
    assertTrue(text.contains("key: db/pg-rw/NoPrimary"), text);
  }

  @Test
  void givesThePasswordToNoServerWithoutTls() {
    assertFails(server().build(), certificate, "STARTTLS is required but host does not support");
  }

  @Test
  void givesThePasswordToNoServerThatItDoesNotTrust() throws Exception {
    Path other = Files.writeString(folder.resolve("other.crt"), Tls.selfMade().certificate());
    assertFails(withTls().build(), other, "");
  }

  private void assertFails(SMTPServer started, Path trusted, String why) {
    try (Run run = run(started).with("ALERT_MAIL_ROOTCERT", trusted.toString())) {
      assertEquals(1, run.once());
      // One for each alert; on a slow machine, the run ends before the second has been tried
      // thrice.
      List<String> said = run.logged("ERROR alert sink mail failed to deliver");
      assertFalse(said.isEmpty(), run.log().toString());
      assertTrue(said.get(0).contains("db/pg-rw/NodeDown/127.0.0.1: " + why), said.get(0));
      assertFalse(run.log().toString().contains(PASSWORD));
    }
    assertEquals(List.of(), mails);
    assertEquals(List.of(), logins);
  }

  @Test
  void reportsAFailedLoginWithoutItsCredentials() throws Exception {
    Files.writeString(password, "wrongsekret");
    try (Run run = run(withTls().build())) {
      assertEquals(1, run.once());
      assertEquals(2, run.logged("ERROR alert sink mail failed to deliver").size());
      assertFalse(run.log().toString().contains("sekret"), run.log().toString());
    }
    assertEquals(List.of(), mails);
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, Connection refused", "mail.invalid, unknown host"})
  void reportsWhichServerIsOutOfReach(String host, String why) {
    try (Run run = run(1).with("ALERT_MAIL_HOST", host)) {
      assertEquals(1, run.once());
      assertEquals(
          "ERROR alert sink mail failed to deliver db/pg-rw/NodeDown/127.0.0.1:"
              + " SMTP server %s:1: %s".formatted(host, why),
          run.logged("failed to deliver").get(0));
    }
  }

  @Test
  void reportsWhichSettingIsWrong() {
    try (Run run =
        run(withTls().build())
            .with("ALERT_MAIL_PORT", "smtp")
            .with("ALERT_MAIL_TLS", "yes")
            .with("ALERT_MAIL_TO", "")
            .with("ALERT_MAIL_PASSWORD_FILE", "/nosuch")
            .with("ALERT_MAIL_ROOTCERT", "/nosuch.crt")) {
      assertEquals(1, run.once());
      assertEquals(
          List.of(
              "ERROR alert sink routes/alerts/mail.camel.yaml is left out, line 7:"
                  + " ALERT_MAIL_TO is not set, nor is ALERT_MAIL_TO_FILE;"
                  + " ALERT_MAIL_PORT is not a port, 1 to 65535;"
                  + " ALERT_MAIL_TLS is not starttls, tls or off;"
                  + " ALERT_MAIL_PASSWORD_FILE='/nosuch' is not a readable file;"
                  + " ALERT_MAIL_ROOTCERT='/nosuch.crt' is not a readable file"),
          run.logged("sink"));
    }
  }

  @Test
  void reportsMissingPasswordAndInvalidCertificate() {
    try (Run run =
        run(withTls().build())
            .with("ALERT_MAIL_PASSWORD_FILE", "")
            .with("ALERT_MAIL_ROOTCERT", password.toString())) {
      assertEquals(1, run.once());
      String said = String.join("\n", run.logged("sink"));
      assertTrue(
          said.startsWith(
              "ERROR alert sink routes/alerts/mail.camel.yaml is left out, line 7:"
                  + " ALERT_MAIL_PASSWORD is not set, nor is ALERT_MAIL_PASSWORD_FILE;"
                  + " ALERT_MAIL_ROOTCERT='"
                  + password
                  + "' cannot be read: "),
          said);
      assertFalse(run.log().toString().contains(PASSWORD));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void mailIsDeliveredDespiteFailedQuit(boolean hangs) throws Exception {
    try (ServerSocket rude = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Run run =
            run(rude.getLocalPort())
                .with("ALERT_MAIL_TLS", "off")
                .with("ALERT_MAIL_USER", "")
                .with("ALERT_MAIL_PASSWORD_FILE", "")
                .with("ALERT_MAIL_ROOTCERT", "")) {
      Thread thread = new Thread(() -> serve(rude, hangs));
      thread.setDaemon(true);
      thread.start();
      assertEquals(1, run.once());
      assertEquals(List.of(), run.logged("sink"));
      assertEquals(2, mails.size());
    }
  }

  /** Accepts mails as an SMTP server, but hangs at QUIT, or answers QUIT with a reset. */
  private void serve(ServerSocket server, boolean hangs) {
    List<Socket> hanging = new ArrayList<>();
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        hanging.add(client);
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
        OutputStream out = client.getOutputStream();
        out.write("220 hello\r\n".getBytes(StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          if (line.equals("QUIT")) {
            if (!hangs) {
              client.setSoLinger(true, 0);
              client.close();
            }
            break;
          }
          out.write(
              (line.equals("DATA") ? "354 go on\r\n" : "250 good\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
          if (line.equals("DATA")) {
            while (!".".equals(in.readLine())) {
              // Skips the lines of the mail.
            }
            mails.add(new byte[0]);
            out.write("250 taken\r\n".getBytes(StandardCharsets.US_ASCII));
          }
        }
      } catch (IOException e) {
        // The client closed the connection, or the test is over.
      }
    }
  }
}
