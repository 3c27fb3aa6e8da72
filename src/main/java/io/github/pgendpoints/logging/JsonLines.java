package io.github.pgendpoints.logging;

import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.nio.charset.StandardCharsets;

/** Encodes an event as one line with logback's JSON object: what happened, where, and when. */
final class JsonLines extends JsonEncoder {
  /**
   * @param withStackTrace whether the object contains the stack trace of an exception
   */
  JsonLines(boolean withStackTrace) {
    setWithSequenceNumber(false);
    setWithNanoseconds(false);
    setWithThreadName(false);
    setWithContext(false);
    setWithMarkers(false);
    setWithMDC(false);
    setWithKVPList(false);
    setWithMessage(false);
    setWithArguments(false);
    setWithFormattedMessage(true);
    setWithThrowable(withStackTrace);
  }

  /** Escapes characters that logback does not escape: some line breaks and terminal controls. */
  @Override
  public byte[] encode(ILoggingEvent event) {
    String object = new String(super.encode(event), StandardCharsets.UTF_8).stripTrailing();
    // Such characters occur only in strings.
    return (Text.replaceInvisible(object, "\\u%04x"::formatted) + "\n")
        .getBytes(StandardCharsets.UTF_8);
  }
}
