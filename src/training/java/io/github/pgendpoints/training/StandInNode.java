package io.github.pgendpoints.training;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A server with the part of PostgreSQL's protocol that a cycle uses: no TLS, a login by SCRAM, and
 * the responses to {@code sql/probe.sql}, {@code sql/history.sql}, and the commands to a walsender.
 * The primary reports its timeline and history by SQL, the standby by a walsender, so that both
 * paths are trained.
 *
 * <p>Messages are those of the PostgreSQL frontend/backend protocol, chapter "Message Formats".
 */
final class StandInNode implements AutoCloseable {
  static final String PASSWORD = "training";

  private static final int PROTOCOL_3_0 = 3 << 16;
  private static final int SCRAM_ITERATIONS = 4096;
  private static final byte[] SALT = "training".getBytes(StandardCharsets.US_ASCII);
  private static final String NONCE_OF_SERVER = "training";
  private static final int BOOL = 16;
  private static final int BIGINT = 20;
  private static final int INTEGER = 23;
  private static final int TEXT = 25;
  private static final String SYSTEM_IDENTIFIER = "7000000000000000001";
  private static final String HISTORY = "1\t0/2000000\tno recovery target specified\n";

  /** The only row of a result; null stands for NULL. */
  private record Row(Map<String, Column> columns) {
    private record Column(int type, String value) {
      /** The size of the type in bytes, as in a RowDescription message; -1 if it varies. */
      private int length() {
        return switch (type) {
          case BOOL -> 1;
          case INTEGER -> 4;
          case BIGINT -> 8;
          default -> -1;
        };
      }
    }

    private Row() {
      this(new LinkedHashMap<>());
    }

    private Row with(String name, int type, Object value) {
      columns.put(name, new Column(type, value == null ? null : String.valueOf(value)));
      return this;
    }

    private Row with(String name, boolean value) {
      return with(name, BOOL, value ? "t" : "f");
    }

    private Row with(String name, String value) {
      return with(name, TEXT, value);
    }
  }

  private final ServerSocket listener;
  private final Row probe;
  private final Row history;
  private final Row setting = new Row().with("set_config", "off");
  private final Row identity =
      new Row()
          .with("systemid", SYSTEM_IDENTIFIER)
          .with("timeline", BIGINT, 2)
          .with("xlogpos", "0/3000000")
          .with("dbname", "training");
  private final Row historyFile =
      new Row().with("filename", "00000002.history").with("content", HISTORY);

  /** Starts a node that runs until it is closed. */
  StandInNode(boolean standby) throws IOException {
    probe =
        new Row()
            .with("in_recovery", standby)
            .with("system_identifier", SYSTEM_IDENTIFIER)
            // Together with the system identifier, the start time identifies the server.
            .with("started_at", BIGINT, standby ? 1767225602000000L : 1767225601000000L)
            .with("timeline", standby ? null : "00000002")
            .with("insert_lsn", standby ? null : "0/3000060")
            .with("replay_lsn", standby ? "0/3000000" : null)
            .with("receiver", INTEGER, standby ? 4711 : null)
            .with("receiver_status", standby ? "waiting" : null)
            .with("received_tli", INTEGER, standby ? 2 : null)
            .with("checkpoint_tli", INTEGER, standby ? 2 : null)
            .with("recovery_tli", INTEGER, standby ? 2 : null)
            .with("source_host", standby ? "127.0.0.1" : null)
            .with("source_port", INTEGER, standby ? 5432 : null)
            .with("monitor", true)
            .with("replicas", standby ? null : "127.0.0.1")
            .with("replication", standby)
            .with("history_file", !standby)
            .with("history_function", false)
            .with("read_only", false);
    history =
        new Row()
            .with("granted", !standby)
            .with("replication", standby)
            .with("history", standby ? null : HISTORY);
    listener = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    Training.inBackground(this::accept);
  }

  /** Returns the node's entry in PG_NODES. */
  String node() {
    return listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      Training.inBackground(
          () -> {
            try (client) {
              serve(client);
            }
          });
    }
  }

  private void serve(Socket client) throws IOException, GeneralSecurityException {
    DataInputStream in = new DataInputStream(client.getInputStream());
    DataOutputStream out = new DataOutputStream(client.getOutputStream());
    while (startup(in) != PROTOCOL_3_0) {
      // The client requested TLS.
      out.write('N');
    }
    logIn(in, out);
    Row asked = probe;
    while (true) {
      char type = (char) in.readByte();
      String body = body(in);
      if (type == 'P') {
        asked = asked(body.substring(body.indexOf(0) + 1));
      }
      answer(type, body, asked, out);
    }
  }

  /** The row that a statement returns; null if it returns none. */
  private Row asked(String sql) {
    if (sql.startsWith("SET ")) {
      return null;
    }
    if (sql.contains("set_config")) {
      return setting;
    }
    // Only the query for a history has a parameter.
    return sql.contains("$1") ? history : probe;
  }

  /** Reads a startup message, which has no type byte, and returns its code. */
  private static int startup(DataInputStream in) throws IOException {
    int length = in.readInt();
    int code = in.readInt();
    in.skipNBytes(length - 8L);
    return code;
  }

  private static String body(DataInputStream in) throws IOException {
    return new String(in.readNBytes(in.readInt() - 4), StandardCharsets.UTF_8);
  }

  // ---- the login, RFC 5802

  private static void logIn(DataInputStream in, DataOutputStream out)
      throws IOException, GeneralSecurityException {
    authentication(out, 10, "SCRAM-SHA-256\0\0");
    String clientFirst = sasl(in).replaceFirst("(?s).*n,,", "");
    String nonce = clientFirst.replaceFirst(".*,r=", "") + NONCE_OF_SERVER;
    String serverFirst =
        "r=%s,s=%s,i=%d"
            .formatted(nonce, Base64.getEncoder().encodeToString(SALT), SCRAM_ITERATIONS);
    authentication(out, 11, serverFirst);
    String clientFinal = sasl(in).replaceFirst(",p=.*", "");
    byte[] signature =
        hmac(
            hmac(saltedPassword(), "Server Key"),
            String.join(",", clientFirst, serverFirst, clientFinal));
    authentication(out, 12, "v=" + Base64.getEncoder().encodeToString(signature));
    authentication(out, 0, "");
    for (String parameter :
        new String[] {
          "server_version\00018.0",
          "client_encoding\0UTF8",
          "DateStyle\0ISO, MDY",
          "integer_datetimes\0on",
          "standard_conforming_strings\0on"
        }) {
      message(out, 'S', parameter.getBytes(StandardCharsets.UTF_8), new byte[1]);
    }
    message(out, 'K', new byte[8]);
    message(out, 'Z', new byte[] {'I'});
  }

  private static String sasl(DataInputStream in) throws IOException {
    if (in.read() != 'p') {
      // The program may end in the middle of a login.
      throw new EOFException();
    }
    return body(in);
  }

  private static void authentication(DataOutputStream out, int code, String text)
      throws IOException {
    message(out, 'R', new byte[] {0, 0, 0, (byte) code}, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] saltedPassword() throws GeneralSecurityException {
    return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
        .generateSecret(new PBEKeySpec(PASSWORD.toCharArray(), SALT, SCRAM_ITERATIONS, 256))
        .getEncoded();
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
  }

  // ---- the queries

  private void answer(char type, String body, Row asked, DataOutputStream out) throws IOException {
    switch (type) {
      case 'P' -> message(out, '1');
      case 'B' -> message(out, '2');
      case 'D' -> {
        if (body.startsWith("S")) {
          parameters(asked, out);
        }
        if (asked == null) {
          message(out, 'n');
        } else {
          message(out, 'T', description(asked));
        }
      }
      case 'E' -> {
        if (asked == null) {
          message(out, 'C', "SET\0".getBytes(StandardCharsets.US_ASCII));
        } else {
          row(asked, out);
        }
      }
      case 'Q' -> {
        Row told = body.startsWith("IDENTIFY_SYSTEM") ? identity : historyFile;
        message(out, 'T', description(told));
        row(told, out);
        message(out, 'Z', new byte[] {'I'});
      }
      case 'S' -> message(out, 'Z', new byte[] {'I'});
      case 'X' -> throw new EOFException();
      default -> throw new IOException("a message of type " + type);
    }
  }

  private void parameters(Row asked, DataOutputStream out) throws IOException {
    if (asked == history) {
      message(out, 't', new byte[] {0, 1}, new byte[] {0, 0, 0, BIGINT});
    } else {
      message(out, 't', new byte[2]);
    }
  }

  private static void row(Row told, DataOutputStream out) throws IOException {
    message(out, 'D', values(told));
    message(out, 'C', "SELECT 1\0".getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] description(Row told) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeShort(told.columns().size());
    for (Map.Entry<String, Row.Column> column : told.columns().entrySet()) {
      out.writeBytes(column.getKey());
      // The end of the name, no table OID, and no column number.
      out.write(new byte[7]);
      out.writeInt(column.getValue().type());
      out.writeShort(column.getValue().length());
      // No type modifier, and text format.
      out.writeInt(-1);
      out.writeShort(0);
    }
    return bytes.toByteArray();
  }

  private static byte[] values(Row told) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeShort(told.columns().size());
    for (Row.Column column : told.columns().values()) {
      String value = column.value();
      out.writeInt(value == null ? -1 : value.length());
      out.writeBytes(value == null ? "" : value);
    }
    return bytes.toByteArray();
  }

  private static void message(DataOutputStream out, char type, byte[]... parts) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      body.writeBytes(part);
    }
    out.write(type);
    out.writeInt(body.size() + 4);
    body.writeTo(out);
    out.flush();
  }
}
