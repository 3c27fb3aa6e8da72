package io.github.pgendpoints.postgres;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.postgresql.jdbc.SslMode;

/**
 * Is anybody there? Does what pg_isready does: sends a startup packet, reads the first answer and
 * hangs up. A frozen server's kernel still accepts connections, so that only an answer counts; and
 * a node that is not there is known here, before a login or a pool would wait for it.
 *
 * <p>Messages are those of the PostgreSQL frontend/backend protocol, chapter "Message Formats".
 */
final class ReadyCheck {
  private static final int PROTOCOL_3_0 = 3 << 16;
  private static final int SSL_REQUEST = 80877103;
  private static final String CANNOT_CONNECT_NOW = "57P03";

  private final PostgresSettings settings;

  ReadyCheck(PostgresSettings settings) {
    this.settings = settings;
  }

  /**
   * Returns when a server answers, whatever it says of our rights.
   *
   * @throws SQLException with SQLState 08001 when nobody answers in time, or 57P03 when the server
   *     starts up or shuts down
   */
  void check(InetSocketAddress address, Deadline deadline) throws SQLException {
    try (Socket socket = new DeadlineSocket(deadline.within(settings.tcpConnectTimeout()))) {
      socket.connect(address);
      socket.setTcpNoDelay(true);
      try (Socket secured = secure(socket)) {
        readAnswer(secured);
      }
    } catch (IOException e) {
      // Where TLS fails somebody answers, and the login tells what is wrong.
      if (!Probe.isTls(e)) {
        throw new SQLException(e.getMessage(), "08001", e);
      }
    }
  }

  /** The socket to talk on: TLS where the mode tries it first and the server speaks it. */
  private Socket secure(Socket socket) throws IOException {
    if (settings.sslMode() == SslMode.DISABLE || settings.sslMode() == SslMode.ALLOW) {
      return socket;
    }
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.writeInt(8);
    out.writeInt(SSL_REQUEST);
    out.flush();
    if (socket.getInputStream().read() != 'S') {
      return socket;
    }
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new AnyServer()}, new SecureRandom());
      return context
          .getSocketFactory()
          .createSocket(socket, socket.getInetAddress().getHostAddress(), socket.getPort(), true);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JVM has no TLS", e);
    }
  }

  private void readAnswer(Socket socket) throws IOException, SQLException {
    sendStartup(socket.getOutputStream());
    DataInputStream in = new DataInputStream(socket.getInputStream());
    int type = in.read();
    if (type < 0) {
      throw new EOFException();
    }
    if (type == 'E') {
      Map<Character, String> error = readError(in);
      if (CANNOT_CONNECT_NOW.equals(error.get('C'))) {
        throw new SQLException(error.get('S') + ": " + error.get('M'), CANNOT_CONNECT_NOW);
      }
    }
  }

  private void sendStartup(OutputStream stream) throws IOException {
    byte[] parameters =
        "user\0%s\0database\0%s\0application_name\0postgres-endpoint-manager\0\0"
            .formatted(settings.user(), settings.database())
            .getBytes(StandardCharsets.UTF_8);
    DataOutputStream out = new DataOutputStream(stream);
    out.writeInt(8 + parameters.length);
    out.writeInt(PROTOCOL_3_0);
    out.write(parameters);
    out.flush();
  }

  /** The fields of an ErrorResponse; empty when it is longer than an error ever is. */
  private static Map<Character, String> readError(DataInputStream in) throws IOException {
    int length = in.readInt() - 4;
    Map<Character, String> fields = new HashMap<>();
    if (length > 0 && length <= 10_000) {
      for (String field : new String(in.readNBytes(length), StandardCharsets.UTF_8).split("\0")) {
        if (!field.isEmpty()) {
          fields.put(field.charAt(0), field.substring(1));
        }
      }
    }
    return fields;
  }

  /** Trusts everyone: nothing secret is said here, and the login verifies for itself. */
  private static final class AnyServer implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
