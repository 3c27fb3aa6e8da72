package io.github.pgendpoints.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;

/**
 * A socket whose connect and reads end by a deadline.
 *
 * <p>The timeout of a plain socket restarts with each read, so a server that sends a byte now and
 * then could hold up its client forever. TLS and the driver read through this socket, so the
 * deadline bounds them, too. A byte limit keeps a server from filling the memory.
 */
final class DeadlineSocket extends Socket {
  /** In bytes. Most answers have about 1 kB, but history.sql reads a history of up to 64 KiB. */
  static final int MAX_ANSWER = 1 << 17;

  /** In bytes. A login has some kilobytes, including the certificates of the server. */
  private static final int MAX_LOGIN = 1 << 20;

  /** Two times in seconds, and a count: the kernel detects a lost machine within 25 s. */
  private static final Map<SocketOption<Integer>, Integer> KEEPALIVE =
      Map.of(
          ExtendedSocketOptions.TCP_KEEPIDLE, 10,
          ExtendedSocketOptions.TCP_KEEPINTERVAL, 5,
          ExtendedSocketOptions.TCP_KEEPCOUNT, 3);

  private final Deadline connect;
  private final LoginPermit.Source<IOException> permits;
  private volatile Deadline deadline;
  private volatile long received;
  private volatile int allowed = MAX_LOGIN;
  private volatile int soTimeout;
  private volatile LoginPermit permit;
  private Input in;

  /**
   * @param connect the deadline of the TCP connection
   * @param deadline the deadline of all reads after that
   * @param permits supplies the permit, which is released as soon as the server is silent
   */
  DeadlineSocket(Deadline connect, Deadline deadline, LoginPermit.Source<IOException> permits) {
    this.connect = connect;
    this.deadline = deadline;
    this.permits = permits;
  }

  /** Sets a new deadline and byte limit, for a query after the login and its answer. */
  void limit(Deadline deadline) {
    this.deadline = deadline;
    this.received = 0;
    this.allowed = MAX_ANSWER;
  }

  @Override
  public void connect(SocketAddress endpoint, int timeout) throws IOException {
    try {
      super.connect(endpoint, timeLeft(connect, timeout));
    } catch (SocketTimeoutException e) {
      throw noAnswer(connect);
    }
    permit = permits.take();
    for (SocketOption<Integer> option : KEEPALIVE.keySet()) {
      if (supportedOptions().contains(option)) {
        setOption(option, KEEPALIVE.get(option));
      }
    }
  }

  @Override
  public InputStream getInputStream() throws IOException {
    return input();
  }

  private synchronized Input input() throws IOException {
    if (in == null) {
      in = new Input(super.getInputStream());
    }
    return in;
  }

  /** Sets the timeout of the reader. A read ends at this timeout or the deadline, if earlier. */
  @Override
  public void setSoTimeout(int timeout) throws SocketException {
    soTimeout = timeout;
  }

  @Override
  public int getSoTimeout() throws SocketException {
    return soTimeout;
  }

  private static int timeLeft(Deadline until, int timeout) throws SocketTimeoutException {
    int left = until.remainingMillis();
    if (left == 0) {
      throw noAnswer(until);
    }
    return timeout == 0 ? left : Math.min(left, timeout);
  }

  private static SocketTimeoutException noAnswer(Deadline until) {
    return new SocketTimeoutException("no answer within " + until);
  }

  private int read(InputStream raw, byte[] buffer, int offset, int length) throws IOException {
    while (true) {
      int timeout = timeLeft(deadline, soTimeout);
      if (permit != null) {
        permit.releaseWhenOver();
      }
      // How long the read may hold the permit; 0 if it holds none.
      int hold = permit == null ? 0 : permit.readMillis();
      super.setSoTimeout(hold == 0 ? timeout : Math.min(hold, timeout));
      try {
        return raw.read(buffer, offset, length);
      } catch (SocketTimeoutException e) {
        if (hold > 0) {
          permit.close();
        } else if (!deadline.isOver()) {
          throw e;
        }
      }
    }
  }

  /** Bounds reads and skips: a skip calls read here, since that of the raw stream may block. */
  private final class Input extends InputStream {
    private final InputStream raw;

    private Input(InputStream raw) {
      this.raw = raw;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = DeadlineSocket.this.read(raw, buffer, offset, length);
      received += Math.max(0, read);
      if (received > allowed) {
        throw new ProtocolException("the server sent more than " + allowed + " bytes");
      }
      return read;
    }

    @Override
    public int available() throws IOException {
      return raw.available();
    }

    @Override
    public void close() throws IOException {
      raw.close();
    }
  }
}
