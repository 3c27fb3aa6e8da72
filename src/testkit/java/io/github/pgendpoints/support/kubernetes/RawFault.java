package io.github.pgendpoints.support.kubernetes;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a client receives instead of a response; then the connection ends. */
@FunctionalInterface
public interface RawFault {

  /** Writes to the client, for any length of time. */
  void answer(OutputStream client) throws IOException, InterruptedException;

  /** The connection ends in the middle of a response that began correctly. */
  static RawFault cut() {
    return client -> client.write(bytes(head(200, 1000) + "{\"kind\": \"Endpoi"));
  }

  /** The connection ends without a byte of a response. */
  static RawFault hangUp() {
    return client -> {};
  }

  /** A response that arrives one byte at a time and never ends. */
  static RawFault drip() {
    return client -> {
      client.write(bytes(head(200, 1_000_000) + "{\"kind\": \"Endpoints\", \"x\": \""));
      while (!Thread.interrupted()) {
        client.write('x');
        client.flush();
        Thread.sleep(50);
      }
    };
  }

  /** An endless response, as fast as the network can carry it. */
  static RawFault flood() {
    return client -> {
      client.write(bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"x\": \""));
      byte[] block = new byte[1 << 20];
      Arrays.fill(block, (byte) 'x');
      while (!Thread.interrupted()) {
        client.write(block);
      }
    };
  }

  /** A complete response with this body. */
  static RawFault body(int code, String body) {
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    return client -> {
      client.write(bytes(head(code, content.length)));
      client.write(content);
    };
  }

  private static String head(int code, int length) {
    return ("HTTP/1.1 %d By order of the test\r\nContent-Type: application/json\r\n"
            + "Connection: close\r\nContent-Length: %d\r\n\r\n")
        .formatted(code, length);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
