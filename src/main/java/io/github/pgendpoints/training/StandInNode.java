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
 * Speaks as much of PostgreSQL's protocol as a probe does: no TLS, a login by SCRAM, and the answer
 * to {@code sql/probe.sql}, whatever is asked.
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
  private static final int TEXT = 25;

  private final ServerSocket listener;
  private final Map<String, String> row = new LinkedHashMap<>();

  /** A node that is there until it is closed. */
  StandInNode(boolean standby) throws IOException {
    row.put("in_recovery", standby ? "t" : "f");
    row.put("system_identifier", "7000000000000000001");
    // With the identifier this tells two servers.
    row.put("started_at", standby ? "2026-01-01 00:00:02+00" : "2026-01-01 00:00:01+00");
    row.put("timeline", standby ? null : "00000001");
    row.put("lsn", standby ? "0/3000000" : "0/3000060");
    row.put("streaming", standby ? "t" : "f");
    listener = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    Training.inBackground(this::accept);
  }

  /** The entry of PG_NODES. */
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
      // It asked for TLS.
      out.write('N');
    }
    logIn(in, out);
    while (true) {
      answer((char) in.readByte(), body(in), out);
    }
  }

  /** The code of a startup message, which has no type. */
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
      // A ready check leaves here.
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

  // ---- the query

  private void answer(char type, String body, DataOutputStream out) throws IOException {
    switch (type) {
      case 'P' -> message(out, '1');
      case 'B' -> message(out, '2');
      case 'D' -> {
        if (body.startsWith("S")) {
          message(out, 't', new byte[2]);
        }
        message(out, 'T', description());
      }
      case 'E' -> {
        message(out, 'D', values());
        message(out, 'C', "SELECT 1\0".getBytes(StandardCharsets.US_ASCII));
      }
      case 'S' -> message(out, 'Z', new byte[] {'I'});
      case 'X' -> throw new EOFException();
      default -> throw new IOException("a message of type " + type);
    }
  }

  private byte[] description() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeShort(row.size());
    for (Map.Entry<String, String> column : row.entrySet()) {
      out.writeBytes(column.getKey());
      // The name's end, and no table.
      out.write(new byte[7]);
      boolean flag = "t".equals(column.getValue()) || "f".equals(column.getValue());
      out.writeInt(flag ? BOOL : TEXT);
      out.writeShort(flag ? 1 : -1);
      // No modifier, as text.
      out.writeInt(-1);
      out.writeShort(0);
    }
    return bytes.toByteArray();
  }

  private byte[] values() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeShort(row.size());
    for (String value : row.values()) {
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
